import { describe, expect, test } from '@jest/globals';
import { plain } from '../../../src/core/unseen.js';
import { discordBody } from '../../../src/state/notifications/bodies/discord.js';
import { emailText } from '../../../src/state/notifications/bodies/email.js';
import { slackBody } from '../../../src/state/notifications/bodies/slack.js';
import { teamsBody } from '../../../src/state/notifications/bodies/teams.js';
import { cardOf } from '../../../src/state/notifications/card.js';
import { botsDelivery, campaignDelivery, groupDelivery } from './deliveries.js';

const mentions = '@everyone @here <!channel> <@U123> <@&9> <at>all</at>';
const markup = '[click](https://evil.test) **b** `code` <b>x</b> <https://evil.test|here> ||s||';
const hostile = `${mentions} ${markup}\r\n\u202e\u0007# big`;
const card = cardOf(
  groupDelivery({
    ...{ kind: hostile, top_frame: hostile, message: hostile, target_name: hostile },
    frames: JSON.stringify([{ function: 'f', file: hostile, line: 1 }]),
  }),
);

/** Every object of a body. */
function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Record<string, unknown>, ...inner];
}

describe('hostile text', () => {
  test('is one line, without what nobody sees, and bounded', () => {
    const long = cardOf(groupDelivery({ message: 'm'.repeat(1e6), kind: 'k'.repeat(1e6) }));
    for (const text of [
      card.title,
      long.title,
      ...[...card.facts, ...long.facts].map(([, v]) => v),
    ]) {
      expect(plain(text)).toBe(text);
      expect(text.length).toBeLessThan(500);
    }
    for (const body of [slackBody, discordBody, teamsBody]) {
      expect(JSON.stringify(body(long)).length).toBeLessThan(6000);
    }
  });

  test('is plain text alone in Slack, whose fallback has no markup', () => {
    const body = slackBody(card) as { text: string; blocks: object[] };
    const texts = objectsIn(body.blocks).filter((one) => typeof one['text'] === 'string');
    expect(texts.length).toBeGreaterThan(4);
    for (const { type, emoji } of texts) expect([type, emoji]).toEqual(['plain_text', false]);
    expect(body.text).not.toMatch(/[<>]|@(everyone|here|U)/);
  });

  test('mentions nobody and formats nothing in Discord', () => {
    const body = discordBody(card) as {
      allowed_mentions: object;
      embeds: { title: string; fields: { value: string }[] }[];
      content?: string;
    };
    expect(body.allowed_mentions).toEqual({ parse: [] });
    expect(body.content).toBeUndefined();
    const [embed] = body.embeds;
    for (const { value } of embed?.fields ?? []) expect(value).toMatch(/^`[^`]+`$/);
    expect(embed?.title.replace(/\\[^\w]/g, '')).not.toMatch(/[\\`*_~|#[\]<>()]|@(everyone|here)/);
  });

  test('is in runs of text without markdown in Teams, and there is no mention', () => {
    const body = teamsBody(card);
    const withText = objectsIn(body).filter((one) => typeof one['text'] === 'string');
    expect(withText.length).toBeGreaterThan(4);
    for (const { type } of withText) expect(type).toBe('TextRun');
    expect(objectsIn(body).flatMap(Object.keys)).not.toContain('entities');
  });

  test('is one line of a subject, and text, in mail', () => {
    expect(emailText(card).subject).not.toMatch(/[\r\n]/);
  });
});

test('cards say what happened, to what, and which command shows more', () => {
  expect(cardOf(campaignDelivery('flat: nothing new for 3 h of 9 h'))).toMatchObject({
    title: 'Campaign stuck: png',
    tone: 'bad',
    facts: expect.arrayContaining([['Why', 'flat: nothing new for 3 h of 9 h']]),
    command: 'pandafuzz campaign get 019c12f0-5a3e-7c55-9d0e-3f1f4a6b7c82',
  });
  const [one, many] = [cardOf(botsDelivery(['north'])), cardOf(botsDelivery(['a', 'b'], 37))];
  expect([one.title, many.title]).toEqual(['Bot north lost', '37 bots lost']);
  expect(many.facts[0]).toEqual(['Bots', 'a, b and 35 more']);
});
