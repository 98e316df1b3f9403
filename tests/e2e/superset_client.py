"""What Superset does with a database, as JSON: a query through the dialect's cursor, then its inspector."""

import json
import sys

from sqlalchemy import create_engine, inspect

engine = create_engine(sys.argv[1])
cursor = engine.raw_connection().cursor()
cursor.execute("SELECT host, usage FROM production.cpu ORDER BY usage")
rows = [list(row) for row in cursor.fetchall()]
inspector = inspect(engine)
print(
    json.dumps(
        {
            "rows": rows,
            "schemas": inspector.get_schema_names(),
            "tables": inspector.get_table_names(schema="production"),
            "columns": [column["name"] for column in inspector.get_columns("cpu", schema="production")],
        }
    )
)
