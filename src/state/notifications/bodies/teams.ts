import type { Card } from '../card.js';

const colours: Readonly<Record<Card['tone'], string>> = {
  bad: 'attention',
  good: 'good',
  neutral: 'default',
};

/**
 * The body for a workflow of Microsoft Teams ("post to a channel when a webhook request is
 * received"): an adaptive card. Its texts are TextRuns, in which no markdown is read; a mention
 * would need an entity, of which there are none.
 */
export function teamsBody({ title, facts, command, time, tone }: Card): object {
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          fallbackText: 'A message of PandaFuzz',
          body: [
            line({ text: title, weight: 'bolder', size: 'large', color: colours[tone] }),
            ...facts.map(([label, value]) =>
              line({ text: `${label}: `, weight: 'bolder' }, { text: value }),
            ),
            ...(command === '' ? [] : [line({ text: command, fontType: 'monospace' })]),
            line({ text: `PandaFuzz, ${time}`, isSubtle: true, size: 'small' }),
          ],
        },
      },
    ],
  };
}

const line = (...runs: object[]) => ({
  type: 'RichTextBlock',
  inlines: runs.map((run) => ({ type: 'TextRun', ...run })),
});
