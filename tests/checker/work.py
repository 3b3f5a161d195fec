"""What workers did (docs/format.md sections 3 and 6): each event is worked once,
by the order key; what is asked is journaled before it is answered. Which workers
there are, and what waits for them, stands in Lua; that nothing is worked twice
needs none."""
import struct

from formats import need
from trust import fields

EVENT, DUE, PARKED = 1, 2, 3
ASKS_MAX = 64
WHY_MAX, NAME_MAX, SERVICE_MAX = 1024, 128, 64
OUTCOMES = {'done': (EVENT, DUE), 'parked': (EVENT, DUE),
            'retried': (PARKED,), 'dropped': (PARKED,)}


def item_of(event):
    """The class of an item, and what is in it."""
    item = event.fields['item']
    kind = item[0] if item else 0
    need((kind, len(item)) in ((EVENT, 17), (DUE, 41), (PARKED, 17)),
         '%s: no item', event.type)
    return kind, item


class Work:
    """By (worker, item): what became of it."""

    def __init__(self, trust):
        self.trust = trust
        self.ended = set()   # of events: done or dropped
        self.parked = {}     # (worker, place) -> item
        self.asks = {}       # (worker, item) -> [answered, ...]

    def judge(self, tx, n, event):
        if event.type == 'ate.work':
            self.judge_work(tx, n, event)
        else:
            self.judge_ask(tx, event, event.type == 'ate.ask')

    def check_waits(self, tx, event, worker, kind, item):
        """As far as the log says."""
        need(tx.author == self.trust.order_id, '%s: not by the order key',
             event.type)
        if kind == EVENT:
            index, _ = struct.unpack('>QQ', item[1:])
            need(index < tx.index, '%s: of an event to come', event.type)
            need((worker, item) not in self.ended, '%s: it was worked',
                 event.type)
            need(item not in (parked for (name, _), parked in
                              self.parked.items() if name == worker),
                 '%s: it is parked', event.type)
        else:
            time = struct.unpack('>Q', item[1:9])[0] - (1 << 63)
            need(time <= tx.time, '%s: its time has not come', event.type)

    def judge_work(self, tx, n, event):
        f = fields(event, {'worker': str, 'item': bytes, 'outcome': str},
                   {'why': str})
        worker, outcome = f['worker'], f['outcome']
        kind, item = item_of(event)
        need(kind in OUTCOMES.get(outcome, ()) and
             ('why' in f) == (outcome == 'parked') and
             len(f.get('why', '').encode()) <= WHY_MAX and
             len(worker.encode()) <= NAME_MAX, 'ate.work: fields %s', f)
        if kind != PARKED:
            self.check_waits(tx, event, worker, kind, item)
            if outcome == 'parked':
                place = bytes([PARKED]) + struct.pack('>QQ', tx.index, n)
                self.parked[worker, place] = item
                return
        else:
            need(tx.author == self.trust.order_id or self.trust.may_order(tx),
                 'ate.work: by nobody who may')
            need((worker, item) in self.parked, 'ate.work: not parked')
            item = self.parked.pop((worker, item))
            if outcome == 'retried':
                return
        if item[0] == EVENT:
            self.ended.add((worker, item))
        self.asks.pop((worker, item), None)

    def judge_ask(self, tx, event, asks):
        wanted = {'worker': str, 'item': bytes, 'n': int}
        if asks:
            wanted['service'] = str
        f = fields(event, wanted)
        kind, item = item_of(event)
        need(kind != PARKED and 0 <= f['n'] < ASKS_MAX and
             len(f['worker'].encode()) <= NAME_MAX and
             len(f.get('service', '').encode()) <= SERVICE_MAX,
             '%s: fields %s', event.type, f)
        self.check_waits(tx, event, f['worker'], kind, item)
        answered = self.asks.setdefault((f['worker'], item), [])
        if kind == DUE and asks and f['n'] == 0:
            answered.clear()  # another row of that key, perhaps
        if asks:
            need(f['n'] == len(answered) and all(answered),
                 'ate.ask: out of order')
            answered.append(False)
        else:
            need(f['n'] == len(answered) - 1 and not answered[-1],
                 'ate.answer: to nothing')
            answered[-1] = True
