/** Applies the chosen theme before the first paint. The console uses the same setting. */
try {
  const theme = localStorage.getItem('darkroom.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // A browser may refuse storage. The theme of the system applies.
}
