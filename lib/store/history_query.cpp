#include "store/history_query.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

namespace outpost::store {

namespace {

using namespace std::chrono_literals;

constexpr int busy_timeout_ms = 1000;
constexpr auto longest_query = 5s;
constexpr int steps_between_looks = 100'000;

std::int64_t ms(base::WallTime time) {
    return time.time_since_epoch().count();
}

base::WallTime wall(const SQLite::Column& column) {
    return base::WallTime(std::chrono::milliseconds(column.getInt64()));
}

/// The conditions of a statement, and the values for them.
class Where {
  public:
    void add(std::string_view condition, std::variant<std::int64_t, std::string> value) {
        text_ += text_.empty() ? " WHERE " : " AND ";
        text_ += condition;
        values_.push_back(std::move(value));
    }
    /// Of two indexes the planner would choose blindly: the first one that is asked for is used.
    /// (A plus before a column keeps it from the others.)
    std::string_view index() { return std::exchange(chosen_, true) ? "+" : ""; }
    void add_address(std::string_view column, const std::string& address, bool indexed) {
        if (address.empty()) return;
        if (address.starts_with('@'))
            add(fmt::format("substr({0}, -{1}) = ? COLLATE NOCASE", column, address.size()),
                address);
        else
            add(fmt::format("{}{} = ?", indexed ? index() : "+", column), address);
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    void bind(SQLite::Statement& statement) const {
        for (std::size_t i = 0; i < values_.size(); ++i)
            std::visit([&](const auto& value) { statement.bind(static_cast<int>(i + 1), value); },
                       values_[i]);
    }

  private:
    std::string text_;
    std::vector<std::variant<std::int64_t, std::string>> values_;
    bool chosen_ = false;
};

/// Rows come in the order of their numbers, so a time is turned into a number, at which the search
/// ends. Where the clock was put back, rows that look out of turn there may be left out.
std::optional<std::int64_t> number_at(SQLite::Database& connection, const char* sql,
                                      base::WallTime time) {
    SQLite::Statement query(connection, sql);
    query.bind(1, ms(time));
    if (!query.executeStep()) return std::nullopt;
    return query.getColumn(0).getInt64();
}

/// False if no row is of that time.
bool add_times(SQLite::Database& connection, const history::Query& query, Where& where) {
    if (query.since) {
        const auto first = number_at(
            connection, "SELECT number FROM event WHERE at >= ? ORDER BY at, number LIMIT 1",
            *query.since);
        if (!first) return false;
        where.add("number >= ?", *first);
        where.add("+at >= ?", ms(*query.since));
    }
    if (query.until) {
        const auto last = number_at(
            connection,
            "SELECT number FROM event WHERE at <= ? ORDER BY at DESC, number DESC LIMIT 1",
            *query.until);
        if (!last) return false;
        where.add("number <= ?", *last);
        where.add("+at <= ?", ms(*query.until));
    }
    return true;
}

Where conditions(const history::Query& query) {
    Where where;
    if (query.id)
        where.add(fmt::format("{}id = ?", where.index()),
                  static_cast<std::int64_t>(query.id->value));
    where.add_address("recipient", query.recipient, true);
    if (!query.account.empty())
        where.add(fmt::format("{}account = ?", where.index()), query.account);
    where.add_address("sender", query.sender, false);
    if (!query.upstream.empty()) where.add("upstream = ?", query.upstream);
    if (query.result) where.add("result = ?", static_cast<std::int64_t>(*query.result));
    if (query.after) where.add("number > ?", *query.after);
    if (query.before) where.add("number < ?", *query.before);
    return where;
}

/// Nothing if it is of a kind that this version does not know.
std::optional<history::Row> read_row(SQLite::Statement& statement) {
    history::Row row;
    history::Event& event = row.event;
    int column = 0;
    const auto text = [&] { return statement.getColumn(column++).getString(); };
    const auto time = [&] {
        return std::chrono::microseconds(statement.getColumn(column++).getInt64());
    };
    row.number = statement.getColumn(column++).getInt64();
    event.at = wall(statement.getColumn(column++));
    event.id.value = static_cast<std::uint64_t>(statement.getColumn(column++).getInt64());
    const auto result = history::result_of(statement.getColumn(column++).getInt64());
    if (!result) return std::nullopt;
    event.result = *result;
    event.account = text();
    event.sender = text();
    row.recipient = text();
    event.upstream = text();
    event.remote = text();
    event.reply = text();
    if (const auto next = statement.getColumn(column++); !next.isNull())
        event.next_attempt = wall(next);
    event.latency.queue = time();
    event.latency.read = time();
    event.latency.connect = time();
    event.latency.greeting = time();
    event.latency.transfer = time();
    event.latency.total = time();
    return row;
}

int is_over(void* end) {
    return std::chrono::steady_clock::now() >
                   *static_cast<const std::chrono::steady_clock::time_point*>(end)
               ? 1
               : 0;
}

std::vector<history::Row> select(SQLite::Database& connection, const history::Query& query) {
    // Nothing was ever written.
    if (connection.execAndGet("PRAGMA user_version").getInt() == 0) return {};
    Where where = conditions(query);
    if (!add_times(connection, query, where)) return {};
    SQLite::Statement statement(
        connection, fmt::format("SELECT * FROM event{} ORDER BY number {} LIMIT {}", where.text(),
                                query.after ? "ASC" : "DESC", query.limit));
    where.bind(statement);
    std::vector<history::Row> rows;
    while (statement.executeStep())
        if (auto row = read_row(statement)) rows.push_back(std::move(*row));
    return rows;
}

}  // namespace

std::expected<std::vector<history::Row>, QueryFailure> find(const std::filesystem::path& file,
                                                            const history::Query& query) {
    try {
        if (!std::filesystem::exists(file)) return std::vector<history::Row>();
        SQLite::Database connection(file.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
        connection.exec("PRAGMA query_only = ON");
        auto end = std::chrono::steady_clock::now() + longest_query;
        sqlite3_progress_handler(connection.getHandle(), steps_between_looks, &is_over, &end);
        return select(connection, query);
    } catch (const SQLite::Exception& e) {
        const int code = e.getErrorCode();
        if (code == SQLITE_INTERRUPT)
            return std::unexpected(QueryFailure{
                .reason = "the search took longer than 5 s and was given up; narrow it down by "
                          "time, recipient, account or id"});
        return std::unexpected(
            QueryFailure{.damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB,
                         .reason = fmt::format("cannot read {}: {}", file.string(), e.what())});
    }
}

}  // namespace outpost::store
