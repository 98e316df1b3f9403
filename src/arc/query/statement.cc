#include "arc/query/statement.h"

#include <algorithm>

#include "arc/query/show_functions.h"
#include "duckdb/common/string_util.hpp"
#include "duckdb/parser/expression/columnref_expression.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_data/create_type_info.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/query_node/cte_node.hpp"
#include "duckdb/parser/query_node/recursive_cte_node.hpp"
#include "duckdb/parser/query_node/select_node.hpp"
#include "duckdb/parser/query_node/set_operation_node.hpp"
#include "duckdb/parser/statement/create_statement.hpp"
#include "duckdb/parser/statement/delete_statement.hpp"
#include "duckdb/parser/statement/explain_statement.hpp"
#include "duckdb/parser/statement/multi_statement.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref/at_clause.hpp"
#include "duckdb/parser/tableref/list.hpp"

namespace arc {
namespace {

using duckdb::QueryNode;
using duckdb::TableRef;

constexpr std::string_view kForbidden[] = {"current_setting", "getenv", "write_log"};

constexpr std::string_view kTableFunctions[] = {
    kShowDatabasesFunction, kShowTablesFunction,
    // Values.
    "generate_series", "json_each", "json_tree", "range", "repeat", "repeat_row", "test_all_types", "unnest",
    // The catalog, filtered by what the principal may read; BI tools and information_schema live on these.
    "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_indexes", "duckdb_keywords",
    "duckdb_schemas", "duckdb_sequences", "duckdb_tables", "duckdb_types", "duckdb_views", "icu_calendar_names",
    "pg_timezone_names", "pragma_collations", "pragma_table_info", "pragma_version"};

[[noreturn]] void Refuse(const std::string& what) {
  throw duckdb::PermissionException(
      "%s is not allowed; allowed are queries (SELECT, WITH, FROM, VALUES, PIVOT), "
      "DESCRIBE, SHOW, SUMMARIZE and EXPLAIN of them, DELETE, DROP TABLE and DROP DATABASE",
      what);
}

bool IsWordByte(char byte) {
  return byte == '_' || byte == '$' || static_cast<unsigned char>(byte) >= 0x80 ||
         duckdb::StringUtil::CharacterIsAlphaNumeric(byte);
}

// Walks a parsed query, resolving and checking names on the way.
class Resolver {
 public:
  explicit Resolver(const CatalogView& catalog) : catalog_(catalog) {}

  void Visit(QueryNode& node) {
    switch (node.type) {
      case duckdb::QueryNodeType::SELECT_NODE: {
        auto& select = node.Cast<duckdb::SelectNode>();
        for (auto& expression : select.select_list) Visit(expression);
        for (auto& expression : select.groups.group_expressions) Visit(expression);
        Visit(select.where_clause);
        Visit(select.having);
        Visit(select.qualify);
        Visit(select.from_table);
        break;
      }
      case duckdb::QueryNodeType::SET_OPERATION_NODE:
        for (auto& child : node.Cast<duckdb::SetOperationNode>().children) Visit(*child);
        break;
      case duckdb::QueryNodeType::RECURSIVE_CTE_NODE: {
        auto& recursive = node.Cast<duckdb::RecursiveCTENode>();
        Visit(*recursive.left);
        Visit(*recursive.right);
        for (auto& expression : recursive.key_targets) Visit(expression);
        break;
      }
      case duckdb::QueryNodeType::CTE_NODE: {
        auto& cte = node.Cast<duckdb::CTENode>();
        Visit(*cte.query);
        Visit(*cte.child);
        break;
      }
      default: Refuse("A statement that changes data inside a query");
    }
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeModifiers(
        node, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& expression) { Visit(expression); });
    for (auto& [name, cte] : node.cte_map.map) {
      for (auto& expression : cte->key_targets) Visit(expression);
      Visit(*cte->query->node);
    }
  }

 private:
  void Visit(duckdb::unique_ptr<duckdb::ParsedExpression>& expression) {
    if (!expression) return;
    if (expression->GetExpressionClass() == duckdb::ExpressionClass::SUBQUERY) {
      Visit(*expression->Cast<duckdb::SubqueryExpression>().subquery->node);
    } else if (expression->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
      const auto& name = expression->Cast<duckdb::FunctionExpression>().function_name;
      if (IsForbiddenFunction(duckdb::StringUtil::Lower(name))) {
        throw duckdb::PermissionException("The function %s() is not allowed: it tells about the server, not about data",
                                          name);
      }
    }
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        *expression, [&](duckdb::unique_ptr<duckdb::ParsedExpression>& child) { Visit(child); });
  }

  void Visit(duckdb::unique_ptr<TableRef>& table) {
    if (!table) return;
    switch (table->type) {
      case duckdb::TableReferenceType::BASE_TABLE: Resolve(table->Cast<duckdb::BaseTableRef>()); break;
      case duckdb::TableReferenceType::SUBQUERY: Visit(*table->Cast<duckdb::SubqueryRef>().subquery->node); break;
      case duckdb::TableReferenceType::JOIN: {
        auto& join = table->Cast<duckdb::JoinRef>();
        Visit(join.left);
        Visit(join.right);
        Visit(join.condition);
        break;
      }
      case duckdb::TableReferenceType::TABLE_FUNCTION: VisitFunction(table->Cast<duckdb::TableFunctionRef>()); break;
      case duckdb::TableReferenceType::EXPRESSION_LIST:
        for (auto& row : table->Cast<duckdb::ExpressionListRef>().values) {
          for (auto& expression : row) Visit(expression);
        }
        break;
      case duckdb::TableReferenceType::PIVOT: VisitPivot(table->Cast<duckdb::PivotRef>()); break;
      case duckdb::TableReferenceType::SHOW_REF: VisitShow(table); break;
      case duckdb::TableReferenceType::EMPTY_FROM:
      case duckdb::TableReferenceType::COLUMN_DATA: break;
      default: Refuse("This kind of table reference");
    }
  }

  void VisitFunction(duckdb::TableFunctionRef& table) {
    if (table.function->GetExpressionClass() == duckdb::ExpressionClass::FUNCTION) {
      const auto& name = table.function->Cast<duckdb::FunctionExpression>().function_name;
      if (!IsAllowedTableFunction(duckdb::StringUtil::Lower(name))) {
        throw duckdb::PermissionException(
            "The table function %s() is not allowed: queries read tables, not files or the server's own state", name);
      }
    }
    Visit(table.function);
    if (table.subquery) Visit(*table.subquery->node);
  }

  void VisitPivot(duckdb::PivotRef& pivot) {
    Visit(pivot.source);
    for (auto& expression : pivot.aggregates) Visit(expression);
    for (auto& column : pivot.pivots) {
      for (auto& expression : column.pivot_expressions) Visit(expression);
      for (auto& entry : column.entries) Visit(entry.expr);
      if (column.subquery) Visit(*column.subquery);
    }
  }

  // `database.table` means our database, also where DuckDB has a catalog of that name (memory, system, temp, arc).
  void Resolve(duckdb::BaseTableRef& table) {
    if (table.at_clause) Visit(table.at_clause->ExpressionMutable());
    if (table.schema_name.empty()) return;
    if (table.catalog_name.empty()) {
      bool system =
          SameIdentifier(table.schema_name, "information_schema") || SameIdentifier(table.schema_name, "pg_catalog");
      if (system && !catalog_.FindDatabase(table.schema_name)) return;
      table.catalog_name = kArcCatalog;
    }
    bool main = SameIdentifier(table.catalog_name, kArcCatalog) && SameIdentifier(table.schema_name, DEFAULT_SCHEMA);
    if (main) table.schema_name = kMainDatabase;
  }

  void VisitShow(duckdb::unique_ptr<TableRef>& table) {
    auto& show = table->Cast<duckdb::ShowRef>();
    if (show.query) {
      Visit(*show.query);
      return;
    }
    if (show.show_type == duckdb::ShowType::SHOW_FROM) {
      if (!show.catalog_name.empty() && !SameIdentifier(show.catalog_name, kArcCatalog)) {
        throw duckdb::CatalogException("\"%s.%s\" is not a database", show.catalog_name, show.schema_name);
      }
      Replace(table, kShowTablesFunction, {duckdb::Value(show.schema_name)});
      return;
    }
    // DuckDB writes the special names in quotes, as if they were tables.
    std::string name = duckdb::StringUtil::Lower(show.table_name);
    if (name == "\"databases\"" || name == "\"schemas\"") {
      Replace(table, kShowDatabasesFunction, {});
    } else if (name == "\"tables\"") {
      Replace(table, kShowTablesFunction, {duckdb::Value(duckdb::LogicalType::VARCHAR)});
    } else if (name == "__show_tables_expanded") {
      Replace(table, kShowTablesFunction, {});
    } else {
      Refuse("SHOW " + duckdb::StringUtil::Replace(show.table_name, "\"", ""));
    }
  }

  static void Replace(duckdb::unique_ptr<TableRef>& table, std::string_view function,
                      duckdb::vector<duckdb::Value> arguments) {
    duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> children;
    for (auto& argument : arguments) {
      children.push_back(duckdb::make_uniq<duckdb::ConstantExpression>(std::move(argument)));
    }
    auto result = duckdb::make_uniq<duckdb::TableFunctionRef>();
    result->function = duckdb::make_uniq<duckdb::FunctionExpression>(duckdb::string(function), std::move(children));
    table->CopyProperties(*result);
    table = std::move(result);
  }

  const CatalogView& catalog_;
};

void CheckOne(duckdb::SQLStatement& statement, Resolver& resolver) {
  switch (statement.type) {
    case duckdb::StatementType::SELECT_STATEMENT:
      resolver.Visit(*statement.Cast<duckdb::SelectStatement>().node);
      break;
    case duckdb::StatementType::EXPLAIN_STATEMENT: {
      auto& inner = *statement.Cast<duckdb::ExplainStatement>().stmt;
      if (inner.type != duckdb::StatementType::SELECT_STATEMENT) {
        Refuse("EXPLAIN of " + duckdb::StatementTypeToString(inner.type));
      }
      CheckOne(inner, resolver);
      break;
    }
    default: {
      std::string kind = duckdb::StatementTypeToString(statement.type);
      Refuse(kind == "INVALID" ? "This statement" : kind);
    }
  }
}

// PIVOT without a list of values comes as CREATE TYPE ... AS ENUM (query) and the query itself. Nothing else that a
// user can write parses into a MultiStatement whose parts we let pass here.
CheckedStatement CheckPivot(duckdb::MultiStatement& multi, Resolver& resolver) {
  CheckedStatement result;
  if (multi.statements.empty()) Refuse("An empty statement");
  result.statement = std::move(multi.statements.back());
  multi.statements.pop_back();
  for (auto& part : multi.statements) {
    if (part->type != duckdb::StatementType::CREATE_STATEMENT) Refuse(duckdb::StatementTypeToString(part->type));
    auto& info = *part->Cast<duckdb::CreateStatement>().info;
    if (info.type != duckdb::CatalogType::TYPE_ENTRY || !info.temporary) Refuse("CREATE");
    auto& type = info.Cast<duckdb::CreateTypeInfo>();
    if (!type.name.starts_with("__pivot_enum_") || !type.query) Refuse("CREATE TYPE");
    CheckOne(*type.query, resolver);
    result.before.push_back(std::move(part));
  }
  if (result.statement->type != duckdb::StatementType::SELECT_STATEMENT) Refuse("PIVOT inside another statement");
  CheckOne(*result.statement, resolver);
  return result;
}

duckdb::unique_ptr<duckdb::SQLStatement> ParseOne(const std::string& sql, const duckdb::ParserOptions& options) {
  duckdb::Parser parser(options);
  parser.ParseQuery(sql);
  if (parser.statements.empty()) throw duckdb::InvalidInputException("There is no statement to run");
  if (parser.statements.size() > 1) {
    throw duckdb::InvalidInputException("Only one statement at a time can be run, not %d",
                                        static_cast<int>(parser.statements.size()));
  }
  return std::move(parser.statements.front());
}

}  // namespace

bool IsForbiddenFunction(std::string_view name) {
  return std::find(std::begin(kForbidden), std::end(kForbidden), name) != std::end(kForbidden);
}

bool IsAllowedTableFunction(std::string_view name) {
  return std::find(std::begin(kTableFunctions), std::end(kTableFunctions), name) != std::end(kTableFunctions);
}

std::string QuoteDefault(const std::string& sql) {
  static constexpr std::string_view kWord = "default";
  auto matches = [&](size_t position) {
    std::string_view rest = std::string_view(sql).substr(position);
    // `defaults` is a word of its own, and a keyword too.
    bool whole = rest.size() <= kWord.size() || !IsWordByte(rest[kWord.size()]);
    return whole && SameIdentifier(rest.substr(0, kWord.size()), kWord);
  };
  bool present = false;
  for (size_t i = 0; i < sql.size() && !present; ++i) present = matches(i);
  if (!present) return sql;
  std::string result;
  size_t copied = 0;
  for (const duckdb::SimplifiedToken& token : duckdb::Parser::Tokenize(sql)) {
    if (token.type != duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_KEYWORD || !matches(token.start)) continue;
    result.append(sql, copied, token.start - copied);
    result.append(1, '"').append(sql, token.start, kWord.size()).append(1, '"');
    copied = token.start + kWord.size();
  }
  result.append(sql, copied, std::string::npos);
  return result;
}

CheckedStatement CheckDelete(const std::string& sql, const duckdb::ParserOptions& options, const CatalogView& catalog,
                             const std::string& database) {
  auto parsed = ParseOne(sql, options);
  if (parsed->type == duckdb::StatementType::EXPLAIN_STATEMENT) {
    parsed = std::move(parsed->Cast<duckdb::ExplainStatement>().stmt);
  }
  if (parsed->type != duckdb::StatementType::DELETE_STATEMENT) Refuse(duckdb::StatementTypeToString(parsed->type));
  auto& deletion = parsed->Cast<duckdb::DeleteStatement>();
  if (!deletion.using_clauses.empty() || !deletion.returning_list.empty() || !deletion.cte_map.map.empty()) {
    throw duckdb::NotImplementedException("DELETE takes a table and a condition, without WITH, USING and RETURNING");
  }
  auto select = duckdb::make_uniq<duckdb::SelectNode>();
  for (const char* column : {kFilePositionName, kRowNumberName}) {
    select->select_list.push_back(duckdb::make_uniq<duckdb::ColumnRefExpression>(duckdb::string(column)));
  }
  select->where_clause = std::move(deletion.condition);
  select->from_table = std::move(deletion.table);
  auto& table = select->from_table->Cast<duckdb::BaseTableRef>();
  if (table.at_clause) throw duckdb::NotImplementedException("Rows of an earlier snapshot cannot be deleted");
  if (table.schema_name.empty()) table.schema_name = database;
  Resolver(catalog).Visit(*select);
  table.at_clause = duckdb::make_uniq<duckdb::AtClause>(
      kDeleteTargetUnit, duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value::BOOLEAN(true)));
  auto statement = duckdb::make_uniq<duckdb::SelectStatement>();
  statement->node = std::move(select);
  CheckedStatement result;
  result.statement = std::move(statement);
  return result;
}

CheckedStatement CheckStatement(const std::string& sql, const duckdb::ParserOptions& options,
                                const CatalogView& catalog) {
  Resolver resolver(catalog);
  auto parsed = ParseOne(sql, options);
  if (parsed->type == duckdb::StatementType::MULTI_STATEMENT) {
    return CheckPivot(parsed->Cast<duckdb::MultiStatement>(), resolver);
  }
  CheckedStatement result;
  result.statement = std::move(parsed);
  CheckOne(*result.statement, resolver);
  return result;
}

}  // namespace arc
