import { useEffect, useState } from 'preact/hooks';

const NEXT = { auto: 'dark', dark: 'light', light: 'auto' } as const;
type Theme = keyof typeof NEXT;

function stored(): Theme {
  const theme = localStorage.getItem('lakelet.theme');
  return theme === 'dark' || theme === 'light' ? theme : 'auto';
}

/** Follows the system until told otherwise. */
export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(stored);
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem('lakelet.theme', theme);
  }, [theme]);
  return (
    <button class="quiet" type="button" onClick={() => setTheme(NEXT[theme])}>
      Theme: {theme}
    </button>
  );
}
