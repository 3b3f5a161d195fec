/** ui: Preact and htm as all pages use them. */
import {h} from './vendor/preact.mjs';
import htm from './vendor/htm.mjs';

export {isValidElement, render} from './vendor/preact.mjs';
export {
    useCallback, useEffect, useErrorBoundary, useRef, useState,
} from './vendor/hooks.mjs';
export const html = htm.bind(h);
