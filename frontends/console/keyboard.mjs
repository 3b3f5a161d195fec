/** keyboard: keys that work everywhere; none while something is typed. */
export const KEYS = [
    ['/', 'go to the filter'],
    ['g c', 'go to the chains'],
    ['g m', 'go to the metrics'],
    ['1 … 8', 'tabs of a chain'],
    ['Esc', 'leave a field, close this'],
    ['?', 'these keys'],
];

const isField = (element) =>
    element.closest('input, textarea, select, [contenteditable]') !== null;

const PLACES = {c: '#/', m: '#/metrics'};

let isGoing = false; // g was pressed

/** What a key does here; true: something. */
function act(key) {
    const wasGoing = isGoing;
    isGoing = key === 'g';
    if (wasGoing && PLACES[key] !== undefined) {
        location.hash = PLACES[key];
        return true;
    }
    if (key === '/') {
        document.querySelector('[data-filter]')?.focus();
        return true;
    }
    if (key === '?') {
        document.querySelector('[data-help]')?.click();
        return true;
    }
    const tab = /^[1-9]$/.test(key) &&
        document.querySelectorAll('[data-tabs] a')[Number(key) - 1];
    if (tab)
        tab.click();
    return Boolean(tab);
}

export function listenToKeys() {
    addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey)
            return;
        if (event.key === 'Escape' && isField(event.target))
            event.target.blur();
        else if (!isField(event.target) && act(event.key))
            event.preventDefault();
    });
}
