import { spawn } from 'node:child_process';

/** Opens an address in the person's browser, if there is one: it was printed as well. */
export function openBrowser(url: string, environment: NodeJS.ProcessEnv): void {
  const [command, ...args] = commandFor(environment);
  if (command === undefined) return;
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => {}); // no such program
  child.unref();
}

function commandFor({ BROWSER, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string[] {
  if (BROWSER) return [BROWSER];
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler'];
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : [];
}
