// Before the first paint: the theme that somebody chose in this browser.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.className = theme;
} catch {
  // Without storage the system's theme holds.
}
