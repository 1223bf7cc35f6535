/** Settings of engines, which a shell that the bot was started from may hold. */
const ofEngines = /^(?:AFL_|HFUZZ_|HONGGFUZZ_|LIBFUZZER_|GODEBUG$|GOCOVERDIR$)/;

/** The bot's environment as runs get it: without settings that would change an engine. */
export function inheritedEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ofEngines.test(name)));
}
