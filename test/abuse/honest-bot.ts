import { newId } from '../../src/core/ids.js';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/gen/pandafuzz/v1/heartbeat.js';
import { pause } from '../pause.js';
import { type RawCall, RawClient } from '../wire/raw-client.js';

type Said = NonNullable<HeartbeatRequest['message']>;
const beatEveryMs = 20;

/** A bot that does what it should, beside those that do not: one stream, with a beat now and then. */
export class HonestBot {
  readonly #call: RawCall;
  #sequence = 0;
  #acknowledged = 0;
  #onAck = () => {};
  #rest = Buffer.alloc(0);
  isOver = false;

  readonly id: string;

  constructor(address: string, { id, authorization }: { id: string; authorization: string }) {
    this.id = id;
    const path = '/pandafuzz.v1.BotService/Heartbeat';
    this.#call = new RawClient(address).open(path, { authorization });
    this.#call.stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#say({
      $case: 'hello',
      value: { botId: id, instanceId: newId(), freeSlots: 0, leases: [] },
    });
    void this.#call.answer.then(() => {
      this.isOver = true;
      this.#onAck();
    });
    this.#beat();
  }

  /** Beats that the master has acknowledged. */
  get beats(): number {
    return this.#acknowledged;
  }

  /** Resolves when a beat that begins now was acknowledged, or the stream is over. */
  async beatsOn(): Promise<boolean> {
    const wanted = this.#sequence + 1;
    while (!this.isOver && this.#acknowledged < wanted) {
      await new Promise<void>((resolve) => {
        this.#onAck = resolve;
      });
    }
    return !this.isOver;
  }

  leave(): void {
    this.isOver = true;
    this.#call.stream.destroy();
  }

  #say(message: Said): void {
    this.#call.send(HeartbeatRequest.encode({ message }).finish());
  }

  #beat(): void {
    const sequence = ++this.#sequence;
    const value = { sequence, freeSlots: 0, leases: [], resources: undefined };
    this.#say({ $case: 'beat', value });
  }

  #take(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1);
      const { message } = HeartbeatResponse.decode(rest.subarray(5, end));
      rest = rest.subarray(end);
      if (message?.$case === 'beatAck') this.#acked(message.value.sequence);
    }
    this.#rest = rest;
  }

  #acked(sequence: number): void {
    this.#acknowledged = sequence;
    this.#onAck();
    void pause(beatEveryMs).then(() => {
      if (!this.isOver) this.#beat();
    });
  }
}
