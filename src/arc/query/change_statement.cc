#include "arc/query/change_statement.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <string>
#include <string_view>

#include "arc/query/statement.h"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/statement/delete_statement.hpp"
#include "duckdb/parser/statement/drop_statement.hpp"
#include "duckdb/parser/statement/explain_statement.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"

namespace arc {
namespace {

bool Holds(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

bool IsOurs(const std::string& catalog) { return catalog.empty() || SameIdentifier(catalog, kArcCatalog); }

std::optional<ChangeStatement> FromDelete(const duckdb::DeleteStatement& deletion) {
  if (deletion.table->type != duckdb::TableReferenceType::BASE_TABLE) return std::nullopt;
  const auto& table = deletion.table->Cast<duckdb::BaseTableRef>();
  if (!IsOurs(table.catalog_name)) return std::nullopt;
  ChangeStatement change;
  change.database = table.schema_name;
  change.table = table.table_name;
  change.all_rows = deletion.condition == nullptr;
  return change;
}

// A database of ours is a schema to DuckDB, which has no DROP DATABASE.
std::string DatabasesAsSchemas(std::string sql) {
  constexpr std::string_view kDrop = "drop";
  constexpr std::string_view kDatabase = "database";
  std::string_view expected = kDrop;
  for (const duckdb::SimplifiedToken& token : duckdb::Parser::Tokenize(sql)) {
    if (token.type == duckdb::SimplifiedTokenType::SIMPLIFIED_TOKEN_COMMENT) continue;
    if (!SameIdentifier(std::string_view(sql).substr(token.start, expected.size()), expected)) return sql;
    if (expected == kDatabase) return sql.replace(token.start, kDatabase.size(), "SCHEMA");
    expected = kDatabase;
  }
  return sql;
}

std::optional<ChangeStatement> FromDrop(const duckdb::DropInfo& drop) {
  ChangeStatement change;
  change.if_exists = drop.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL;
  switch (drop.type) {
    case duckdb::CatalogType::TABLE_ENTRY:
      if (!IsOurs(drop.catalog)) return std::nullopt;
      change.kind = ChangeStatement::Kind::kDropTable;
      change.database = drop.schema;
      change.table = drop.name;
      return change;
    case duckdb::CatalogType::SCHEMA_ENTRY:
      if (!IsOurs(drop.catalog)) return std::nullopt;
      change.kind = ChangeStatement::Kind::kDropDatabase;
      change.database = drop.name;
      return change;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<ChangeStatement> ParseChange(const std::string& sql) {
  if (!Holds(sql, "delete") && !Holds(sql, "drop") && !Holds(sql, "truncate")) return std::nullopt;
  if (sql.find('\0') != std::string::npos) return std::nullopt;
  try {
    duckdb::Parser parser;
    parser.ParseQuery(DatabasesAsSchemas(QuoteDefault(sql)));
    if (parser.statements.size() != 1) return std::nullopt;
    const duckdb::SQLStatement* statement = parser.statements[0].get();
    bool dry_run = false;
    if (statement->type == duckdb::StatementType::EXPLAIN_STATEMENT) {
      const auto& explain = statement->Cast<duckdb::ExplainStatement>();
      if (explain.explain_type != duckdb::ExplainType::EXPLAIN_STANDARD) return std::nullopt;
      dry_run = true;
      statement = explain.stmt.get();
    }
    if (statement->type == duckdb::StatementType::DELETE_STATEMENT) {
      auto change = FromDelete(statement->Cast<duckdb::DeleteStatement>());
      if (change) change->dry_run = dry_run;
      return change;
    }
    if (statement->type == duckdb::StatementType::DROP_STATEMENT && !dry_run) {
      return FromDrop(*statement->Cast<duckdb::DropStatement>().info);
    }
    return std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace arc
