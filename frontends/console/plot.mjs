/** plot: numbers over time as plain SVG: a line a series, no more than 6. */
import {number, shown} from './format.mjs';
import {html, useState} from './ui.mjs';

const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 84;
const BOTTOM = 28;
const PAD = 12;
const SERIES_MOST = 6;

const isTime = (column) => ['date', 'month', 'time'].includes(column.kind);
const isNumber = (column) => ['amount', 'integer'].includes(column.kind);

/** The columns of numbers that can be drawn over a column of times. */
export function timesOf(columns) {
    return columns.some(isTime) ? columns.filter(isNumber) : [];
}

/** {series: [name, points], left}: rows by their other columns. */
function seriesOf(columns, rows, value) {
    const time = columns.find(isTime);
    const others = columns.filter((column) => column !== time &&
        !isNumber(column));
    const all = new Map();
    for (const row of rows) {
        const at = Date.parse(row[time.name]);
        const y = number(row[value.name]);
        if (Number.isNaN(at) || Number.isNaN(y))
            continue;
        const name = others.map((column) => shown(row[column.name]))
            .join(' ') || value.name;
        all.set(name, [...all.get(name) ?? [], {at, y}]);
    }
    const series = [...all].map(([name, points]) =>
        [name, points.sort((a, b) => a.at - b.at)]);
    return {series: series.slice(0, SERIES_MOST),
        left: Math.max(0, series.length - SERIES_MOST)};
}

const bounds = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? [low - 1, high + 1] : [low, high];
};

function scales(series) {
    const points = series.flatMap(([, each]) => each);
    const [from, to] = bounds(points.map(({at}) => at));
    const [low, high] = bounds([0, ...points.map(({y}) => y)]);
    return {
        from, to, low, high,
        x: (at) => LEFT + (at - from) / (to - from) * (WIDTH - LEFT - PAD),
        y: (y) => PAD + (high - y) / (high - low) * (HEIGHT - BOTTOM - PAD),
    };
}

const day = (at) => new Date(at).toISOString().slice(0, 10);

function Axes({scale}) {
    const ticks = [scale.low, (scale.low + scale.high) / 2, scale.high];
    return html`${ticks.map((tick) => html`<line class="grid" x1=${LEFT}
            x2=${WIDTH - PAD} y1=${scale.y(tick)} y2=${scale.y(tick)}/>
        <text class="tick end" x=${LEFT - 6} y=${scale.y(tick) + 4}>${
        Number(tick.toPrecision(4)).toLocaleString('en')}</text>`)}
        <text class="tick" x=${LEFT} y=${HEIGHT - 8}>${day(scale.from)}</text>
        <text class="tick end" x=${WIDTH - PAD} y=${HEIGHT - 8}>${
        day(scale.to)}</text>`;
}

function Lines({series, scale}) {
    return series.map(([name, points], i) => html`<g class=${`series s${i}`}>
        <polyline points=${points.map(({at, y}) =>
        `${scale.x(at)},${scale.y(y)}`).join(' ')}/>
        ${points.length < 60 && points.map(({at, y}) => html`<circle r="3"
            cx=${scale.x(at)} cy=${scale.y(y)}><title>${name} ${day(at)}: ${y
        }</title></circle>`)}</g>`);
}

export function Plot({columns, rows}) {
    const values = timesOf(columns);
    const [name, setName] = useState(values[0].name);
    const value = values.find((column) => column.name === name) ?? values[0];
    const {series, left} = seriesOf(columns, rows, value);
    if (series.length === 0)
        return null;
    const scale = scales(series);
    return html`<figure class="plot">
        <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img"
            aria-label=${`${value.name} over time; the table has the numbers`}>
            <${Axes} scale=${scale}/>
            <${Lines} series=${series} scale=${scale}/></svg>
        <figcaption>${values.length > 1 ? html`<label>of <select value=${name}
            onChange=${(event) => setName(event.target.value)}>${values.map(
            (column) => html`<option>${column.name}</option>`)}</select>
            </label>` : value.name}
            ${series.map(([each], i) => html`<span class=${`key s${i}`}>${each
            }</span>`)}
            ${left > 0 && html`<span class="quiet">and ${left} more</span>`}
        </figcaption></figure>`;
}
