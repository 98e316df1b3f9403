"""chdb or Spark in a process of its own, for table_readers.py: runs one SQL statement a line of standard input (JSON)
and answers its rows, or what went wrong, pickled. The first line holds the engine's settings.

    .deps/venv-readers/bin/python tests/e2e/engine_worker.py chdb|spark
"""

import json
import os
import pickle
import sys


def open_chdb(settings):
    os.chdir("/")  # chdb reads local files below its folder only
    from chdb.session import Session

    session = Session()
    for name, value in settings.items():
        session.query(f"SET {name} = '{value}'")

    def run(sql):
        answer = session.query(sql, "ArrowTable")
        return [tuple(row.values()) for row in answer.to_pylist()] if hasattr(answer, "to_pylist") else []

    return run


def open_spark(settings):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return lambda sql: [tuple(row) for row in session.sql(sql).collect()]


def main():
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the engines print is no answer
    run = {"chdb": open_chdb, "spark": open_spark}[sys.argv[1]](json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        try:
            answer = (True, run(json.loads(line)))
        except Exception as error:  # told to the test, which fails with it
            answer = (False, str(error)[:2000])
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
