"""`stillwatch score --engine spark` as a file for spark-submit, which brings the master and the memory.

spark-submit --master spark://HOST:PORT spark_job.py LOG... --out DIR [options of `stillwatch score`]
"""

import sys


def arguments(given: list[str]) -> list[str]:
    """Give the command line behind a job's.

    Examples
    --------
    >>> arguments(["log.parquet", "--out", "scored"])
    ['stillwatch', 'score', 'log.parquet', '--out', 'scored', '--engine', 'spark']
    """
    return ["stillwatch", "score", *given, "--engine", "spark"]


if __name__ == "__main__":
    # The folder of this file stands first on the path, where its modules would hide others of their name.
    sys.path.pop(0)
    from detector.__main__ import run

    sys.argv = arguments(sys.argv[1:])
    run()
