// From SQL text to a statement that may run: one statement, of an allowed kind, with names resolved.
#pragma once

#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/query/arc_catalog.h"
#include "duckdb/parser/parser_options.hpp"
#include "duckdb/parser/sql_statement.hpp"

namespace arc {

struct CheckedStatement {
  // To be run before, in one transaction with the statement that is rolled back afterwards: PIVOT without a list of
  // values first collects them into a temporary ENUM type.
  duckdb::vector<duckdb::unique_ptr<duckdb::SQLStatement>> before;
  duckdb::unique_ptr<duckdb::SQLStatement> statement;
};

// The only rewriting of text there is: the reserved word `default`, which has no meaning in a query, is quoted so that
// the database of that name needs no quotes. By DuckDB's own tokenizer.
std::string QuoteDefault(const std::string& sql);

// `sql` has been through QuoteDefault. Databases in `database.table` become schemas of our catalog whatever DuckDB's
// own catalogs are called; SHOW DATABASES and SHOW TABLES become our functions. Throws DuckDB's exceptions.
CheckedStatement CheckStatement(const std::string& sql, const duckdb::ParserOptions& options,
                                const CatalogView& catalog);

// A DELETE, or the EXPLAIN of one, as the query for the rows that it is for: see QueryRequest::delete_target. Its
// condition is checked like any query. `database`: of a table named without one.
CheckedStatement CheckDelete(const std::string& sql, const duckdb::ParserOptions& options, const CatalogView& catalog,
                             const std::string& database);

// Functions that tell about the process rather than about data. `name` in lower case.
bool IsForbiddenFunction(std::string_view name);
// Table functions that read nothing but their arguments and what the principal may see. `name` in lower case.
bool IsAllowedTableFunction(std::string_view name);

}  // namespace arc
