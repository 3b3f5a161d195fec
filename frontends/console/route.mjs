/** route: which page the fragment names: #/chain/bank%2Fmain/events?type=x. */
import {useEffect, useState} from './ui.mjs';

/** {parts, search} of a fragment. */
export function parse(fragment) {
    const [place, search] = fragment.replace(/^#?\/?/, '').split('?');
    return {parts: place.split('/').filter(Boolean).map(decodeURIComponent),
        search: Object.fromEntries(new URLSearchParams(search ?? ''))};
}

/** The address of a page. */
export function to(parts, search = {}) {
    const text = new URLSearchParams(Object.entries(search)
        .filter(([, value]) => value !== undefined && value !== ''));
    return '#/' + parts.map(encodeURIComponent).join('/') +
        (text.size > 0 ? `?${text}` : '');
}

export function useRoute() {
    const [route, setRoute] = useState(() => parse(location.hash));
    useEffect(() => {
        const changed = () => setRoute(parse(location.hash));
        addEventListener('hashchange', changed);
        return () => removeEventListener('hashchange', changed);
    }, []);
    return route;
}
