#!/usr/bin/python3
"""Does check.py judge as the engine does?

    agree.py FOLDER

The unit tests of trust leave chains below the folder that ATE_DUMP names:
good-N, which the engine opens, and bad-CODE-N, whose last batch it refuses when
it reads the log. For each check.py has to say the same; of bad-REFUSED-N it
can't, for rules are Lua. Verdict digests of the bad ones are none, so that
these alone are no reason.

Prints `N chains: judged alike`; or what differs, with exit code 8.
"""
import os
import sys

sys.dont_write_bytecode = True
from check import Chain  # noqa: E402 (after the line above)
from folder import Folder  # noqa: E402
from formats import Differs  # noqa: E402


def refusal(folder, looks_at_verdicts):
    chain = Chain(Folder(folder))
    if not looks_at_verdicts:
        chain.check_verdict = lambda events, verdict: None
    try:
        chain.check()
    except Differs as error:
        return str(error)
    return None


def main():
    root = sys.argv[1]
    count = wrong = 0
    for name in sorted(os.listdir(root)):
        is_good = name.startswith('good-')
        if name.startswith(('bad-REFUSED-', 'bad-FORGED-')):
            continue
        said = refusal(os.path.join(root, name), is_good)
        count += 1
        if is_good != (said is None):
            wrong += 1
            sys.stderr.write('agree: %s: %s\n' % (name, said or 'is good'))
    if wrong:
        return 8
    print('%d chains: judged alike' % count)
    return 0


if __name__ == '__main__':
    sys.exit(main())
