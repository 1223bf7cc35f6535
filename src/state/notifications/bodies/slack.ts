import type { Card } from '../card.js';

/**
 * The body for an incoming webhook of Slack. Blocks have `plain_text` alone, in which Slack reads
 * neither markup nor mentions. The text beside them, which notifications show, is read as markup:
 * there `<!channel>` and links begin with "<", which is escaped as Slack's documents say.
 */
export function slackBody({ title, facts, command, time }: Card): object {
  const fields = facts.map(([label, value]) => plain(`${label}: ${value}`));
  return {
    text: escaped(title),
    blocks: [
      { type: 'header', text: plain(title) },
      // A section has ten fields at most.
      ...(fields.length > 0 ? [{ type: 'section', fields: fields.slice(0, 10) }] : []),
      ...(command === '' ? [] : [{ type: 'section', text: plain(command) }]),
      { type: 'context', elements: [plain(`PandaFuzz, ${time}`)] },
    ],
  };
}

const plain = (text: string) => ({ type: 'plain_text', text, emoji: false });

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    // Old settings of a channel turn names into mentions.
    .replaceAll('@', '@\u200b');
