import type { Card } from '../card.js';

const colours: Readonly<Record<Card['tone'], number>> = {
  bad: 0xc0392b,
  good: 0x27ae60,
  neutral: 0x7f8c8d,
};

/**
 * The body for a webhook of Discord: an embed, and no mention is obeyed, whatever the text has.
 * Values are in code spans, in which Discord reads no markup, no links and no mentions.
 */
export function discordBody({ title, facts, command, time, tone }: Card): object {
  return {
    username: 'PandaFuzz',
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: escaped(title),
        color: colours[tone],
        timestamp: time,
        fields: facts.map(([name, value]) => ({ name, value: code(value), inline: true })),
        ...(command === '' ? {} : { description: code(command) }),
      },
    ],
  };
}

/** A code span ends at a backtick, and cannot have one. */
const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``;

/** Every character that begins markup, a link or a mention. */
const escaped = (text: string): string =>
  text.replace(/[\\`*_~|>#[\]()<:-]/g, (character) => `\\${character}`).replaceAll('@', '@\u200b');
