import { signal } from '@preact/signals';

/** Whether the system is dark: curves are drawn anew when that changes, as a canvas has no styles. */
const dark = matchMedia('(prefers-color-scheme: dark)');
export const isDark = signal(dark.matches);
dark.addEventListener('change', () => {
  isDark.value = dark.matches;
});
