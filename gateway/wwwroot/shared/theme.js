// Before the first paint, so no module: the reader's own choice of light or dark, where they made one.
(() => {
  const chosen = localStorage.getItem('shop.theme');
  if (chosen)
    document.documentElement.dataset.theme = chosen;
  document.addEventListener('click', event => {
    if (!event.target.closest('[data-switch-theme]'))
      return;
    const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark'
      || !document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches;
    const theme = isDark ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme;
    localStorage.setItem('shop.theme', theme);
  });
})();
