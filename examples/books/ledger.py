"""A Beancount ledger as bean-query resolves it: interpolated amounts, costs,
lots, pads and plugins are its work; entries that move nothing are left out.

How numbers are kept. An amount is a whole number of smallest units, at most
2^53 of them, and a commodity has one scale, at most 9 decimals:

(1) Units are exact: the scale holds every decimal that the ledger writes. An
    amount with more than 9, or too large for the scale, ends the import with the
    name of its entry, before anything is written.
(2) Weights (units times cost or price) may have 28 digits, because Beancount
    divides a total by its units. The scale grows for them as far as 9 decimals
    and (4) allow; what does not fit then is rounded half to even.
(3) Beancount lets an entry be off by half a digit of the amounts in it. A
    commodity's tolerance here is the largest rest that any entry of this
    ledger has after (2): never more than Beancount let pass and rounding
    added, and not a unit more than the ledger needs.
(4) The sum of all units of a commodity, each made positive, stays below 2^53
    wherever (2) chose the scale: so does every balance.
"""
import ast
import collections
import csv
import decimal
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from decimal import Decimal

SCALE_MAX = 9
UNITS_MAX = 2 ** 53
POSTINGS_MAX = 500
ACCOUNT_BYTES_MAX = 255
PAYEE_BYTES_MAX = 4000
NARRATION_BYTES_MAX = 60000
KINDS = ('assets', 'liabilities', 'equity', 'income', 'expenses')

# repr() and arithmetic of what people write stay exact in these.
decimal.getcontext().prec = 100

# str() is bean-query's only lossless form: number columns are cut to the width
# that most of their values have, and texts are padded.
POSTINGS = '''
    SELECT str(filename), lineno, str(id), str(date), str(flag), str(payee),
           str(narration), str(account), str(account_sortkey(account)),
           str(close_date(account)), str(number), str(currency),
           str(number(weight)), str(currency(weight))
'''
SUMS = '''
    SELECT account, currency, str(units(sum(position)))
    GROUP BY account, currency
'''


class Failure(Exception):
    """Ends the program with a text and an exit code."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


Posting = collections.namedtuple(
    'Posting', 'account kind closed number currency weight weight_currency')


class Entry:
    """A book entry: what bean-query's rows of one id have in common."""

    def __init__(self, row):
        self.place = '%s:%s' % (value(row[0]), row[1].strip())
        self.date = day(row[3])
        self.flag = value(row[4]) or ''
        self.payee = printable(value(row[5]) or '') or None
        self.narration = printable(value(row[6]) or '')
        self.postings = []
        self.voucher = None

    def name(self):
        """How messages call it."""
        words = ' '.join((self.narration or self.payee or '').split())
        return '%s: entry of %s "%s"' % (self.place, self.date, words[:60])

    def content(self):
        """All that it says, for the voucher."""
        said = [self.date, self.flag, self.payee, self.narration]
        for p in self.postings:
            said.append([p.account, str(p.number), p.currency,
                         str(p.weight), p.weight_currency])
        return json.dumps(said).encode()


# ---- what bean-query says ----


def value(text):
    """The value behind repr() of a text, a number or nothing."""
    text = text.strip()
    found = re.fullmatch(r"Decimal\('([^']*)'\)", text)
    return Decimal(found.group(1)) if found else ast.literal_eval(text)


def printable(text):
    """The text without control characters but tab and line feed, which are all
    that a chain's texts have: lines end in one way, others are replaced."""
    text = text.replace('\r\n', '\n').replace('\r', '\n')
    return re.sub('[\x00-\x08\x0b-\x1f\x7f]', '\ufffd', text)


def day(text):
    """The ISO form of repr() of a date or nothing."""
    found = re.search(r'\((\d+), (\d+), (\d+)\)', text)
    if found is None:
        return None
    return '%04d-%02d-%02d' % tuple(int(part) for part in found.groups())


def ask(path, query):
    """Run one query; give the rows without the line of names."""
    env = dict(os.environ, PYTHONUTF8='1', PYTHONWARNINGS='ignore',
               BEANCOUNT_DISABLE_LOAD_CACHE='1')
    try:
        done = subprocess.run(
            ['bean-query', '-f', 'csv', path, ' '.join(query.split())],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        raise Failure('bean-query is not installed: apt install beancount', 7)
    errors = done.stderr.decode('utf-8', 'replace').strip()
    if errors or done.returncode != 0:
        sys.stderr.write(errors + '\n')
        raise Failure('%s: bean-query found the errors above; nothing was '
                      'imported, mend the ledger first' % path)
    text = io.StringIO(done.stdout.decode('utf-8'), newline='')
    rows = list(csv.reader(text))
    if rows == [['(empty)']]:
        return []
    if not rows or rows[0][0] not in ('str_filename', 'account'):
        raise Failure('%s: bean-query said: %s' % (path, text.getvalue()[:500]))
    return rows[1:]


def read_entries(path):
    """The ledger's entries that have postings, in bean-query's order."""
    entries = []
    last = None
    for row in ask(path, POSTINGS):
        key = row[:3]
        if key != last:
            entries.append(Entry(row))
            last = key
        kind = KINDS[int(value(row[8]).split('-')[0])]
        entries[-1].postings.append(Posting(
            value(row[7]), kind, day(row[9]), value(row[10]), value(row[11]),
            value(row[12]), value(row[13])))
    give_vouchers(entries)
    return entries


def give_vouchers(entries):
    """Name each entry by what it says, so that no run books it twice."""
    seen = collections.Counter()
    for entry in entries:
        digest = hashlib.sha256(entry.content()).hexdigest()[:32]
        seen[digest] += 1
        entry.voucher = '%s-%s' % (entry.date, digest)
        if seen[digest] > 1:
            entry.voucher += '-%d' % seen[digest]


def read_sums(path):
    """bean-query's own sums: {(account, commodity): number}."""
    sums = {}
    for account, commodity, inventory in ask(path, SUMS):
        held = inventory.strip()[1:-1]
        number = Decimal(held.split()[0]) if held else Decimal(0)
        sums[account.rstrip(), commodity.rstrip()] = number
    return sums


# ---- scales and tolerances ----


class Commodity:
    """What the ledger asks of one commodity."""

    def __init__(self):
        self.digits = 0         # decimals of units, as written
        self.weight_digits = 0  # decimals of weights
        self.total = Decimal(0)  # of all units, each made positive
        self.largest = Decimal(0)  # weight that a posting has
        self.scale = 0
        self.tolerance = 0

    def choose_scale(self):
        """(1), (2) and (4) of the essay above."""
        self.scale = self.digits
        bound = max(self.total, self.largest)
        while (self.scale < min(self.weight_digits, SCALE_MAX)
               and bound.scaleb(self.scale + 1) < UNITS_MAX):
            self.scale += 1


def decimals(number):
    """How many decimals a number is written with; only those that count once
    they are more than a scale may have."""
    written = max(0, -number.as_tuple().exponent)
    if written <= SCALE_MAX:
        return written
    return max(0, -number.normalize().as_tuple().exponent)


def minor(number, scale):
    """In smallest units, rounded half to even."""
    return int(number.scaleb(scale).to_integral_value(decimal.ROUND_HALF_EVEN))


def measure(entries):
    """What each commodity of the ledger needs: {code: Commodity}."""
    commodities = collections.defaultdict(Commodity)
    for entry in entries:
        for p in entry.postings:
            c = commodities[p.currency]
            digits = decimals(p.number)
            if digits > SCALE_MAX:
                raise Failure('%s: %s %s on %s has %d decimals, an amount has '
                              'at most %d' % (entry.name(), p.number, p.currency,
                                              p.account, digits, SCALE_MAX))
            c.digits = max(c.digits, digits)
            c.total += abs(p.number)
            w = commodities[p.weight_currency]
            w.weight_digits = max(w.weight_digits, decimals(p.weight))
            w.largest = max(w.largest, abs(p.weight))
    for c in commodities.values():
        c.choose_scale()
    return dict(commodities)


def check_sizes(entries, commodities):
    """Every amount and every balance fits; entries are named that do not."""
    held = collections.Counter()
    for entry in entries:
        for p in entry.postings:
            scale = commodities[p.currency].scale
            key = p.account, p.currency
            held[key] += minor(p.number, scale)
            weight = minor(p.weight, commodities[p.weight_currency].scale)
            if max(abs(minor(p.number, scale)), abs(held[key]),
                   abs(weight)) > UNITS_MAX:
                raise Failure(
                    '%s: %s %s on %s is too large: with %d decimals an amount '
                    'or balance is at most %s' % (
                        entry.name(), p.number, p.currency, p.account, scale,
                        Decimal(UNITS_MAX).scaleb(-scale)))


def check_shapes(entries):
    """Lengths that the schema limits, and weights; the entry is named that is
    over one, or that gives money another value in itself."""
    for entry in entries:
        count = len(entry.postings)
        if count > POSTINGS_MAX:
            raise Failure('%s has %d postings, an entry has at most %d' % (
                entry.name(), count, POSTINGS_MAX))
        for what, text, most in (
                ('payee', entry.payee or '', PAYEE_BYTES_MAX),
                ('narration', entry.narration, NARRATION_BYTES_MAX)):
            size = len(text.encode())
            if size > most:
                raise Failure('%s: the %s has %d bytes, at most %d are kept' % (
                    entry.name(), what, size, most))
        for p in entry.postings:
            if p.weight_currency == p.currency and p.weight != p.number:
                raise Failure('%s: %s %s on %s weigh %s, what is counted in '
                              'its own commodity weighs itself' % (
                                  entry.name(), p.number, p.currency,
                                  p.account, p.weight))
            size = len(p.account.encode())
            if size > ACCOUNT_BYTES_MAX:
                raise Failure('%s: the name of account %s has %d bytes, at '
                              'most %d are kept' % (entry.name(), p.account,
                                                    size, ACCOUNT_BYTES_MAX))


def set_tolerances(entries, commodities):
    """(3) of the essay above."""
    for entry in entries:
        rest = collections.Counter()
        for p in entry.postings:
            scale = commodities[p.weight_currency].scale
            rest[p.weight_currency] += minor(p.weight, scale)
        for code, off in rest.items():
            c = commodities[code]
            c.tolerance = max(c.tolerance, abs(off))
