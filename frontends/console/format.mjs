/** format: values as people read them. */
export const brief = (text) => text.length > 20
    ? `${text.slice(0, 10)}…${text.slice(-6)}` : text;

export const shown = (value) => value === null || value === undefined ? ''
    : typeof value === 'object' ? JSON.stringify(value) : String(value);

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 17008 -> 16.6 KiB */
export function bytes(count) {
    if (typeof count !== 'number')
        return '—';
    let unit = 0;
    for (; count >= 1024 && unit < UNITS.length - 1; unit++)
        count /= 1024;
    return `${unit === 0 ? count : count.toFixed(1)} ${UNITS[unit]}`;
}

/** What a damaged chain does not say is a dash. */
export const count = (number) => number?.toLocaleString('en') ?? '—';

/** The number that a cell holds, amounts being texts; or NaN. */
export function number(value) {
    if (typeof value === 'number')
        return value;
    return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
        ? Number(value) : NaN;
}

/** 2026-11-29T01:37:22.779Z -> 2026-11-29 01:37:22, in UTC as logs have it. */
export const time = (text) => typeof text === 'string'
    ? text.replace('T', ' ').replace(/(\.\d+)?Z$/, '') : '';
