/** session: the bearer key of this tab.
 *
 * It stands in sessionStorage, so that it goes with the tab, and in no address:
 * what `ate console` prints has it in the fragment, which no request carries
 * and which is taken out of the address before anything else happens. */
const KEY = 'ate.key';

/** Take `#key=...` out of the address, if it is there. */
export function takeKeyFromAddress() {
    const found = /^#key=([^&]*)/.exec(location.hash);
    if (found === null)
        return;
    history.replaceState(null, '', location.pathname);
    sessionStorage.setItem(KEY, decodeURIComponent(found[1]));
}

export const key = () => sessionStorage.getItem(KEY);
export const setKey = (text) => sessionStorage.setItem(KEY, text);
export const forgetKey = () => sessionStorage.removeItem(KEY);
