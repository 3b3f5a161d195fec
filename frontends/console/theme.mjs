/** theme: as the system has it, until somebody says otherwise. */
const KEY = 'ate.theme';
const THEMES = ['system', 'light', 'dark'];

export const theme = () => THEMES.includes(localStorage.getItem(KEY))
    ? localStorage.getItem(KEY) : 'system';

export function applyTheme() {
    document.documentElement.dataset.theme = theme();
}

/** The next of the three; says which. */
export function nextTheme() {
    const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
    localStorage.setItem(KEY, next);
    applyTheme();
    return next;
}
