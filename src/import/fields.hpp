// SPDX-License-Identifier: Apache-2.0
/// What a source says of one connection, by key. Each value is either taken or told of, so that none is lost in silence.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>

#include "import/run.hpp"

namespace qconn::importing {

struct Field {
    std::string key;
    Value value;
    /// Of the key.
    Place place{};
    /// Where the source says that the value is kept, which it does not hold then; and the environment variable, where it names one.
    std::string kept{};
    std::string variable{};
    bool taken{false};
};

class Fields {
public:
    using Names = std::initializer_list<std::string_view>;

    /// @param what  goes before the key in messages: "the extra "
    Fields(Run& run, std::string connection, std::string what) : run_{run}, connection_{std::move(connection)}, what_{std::move(what)} {}

    /// Null, empty text, and empty maps and lists are nothing.
    void add(Field field);

    // Values by their names, of which the first that is there counts; keys are compared without regard to case. All of them are taken.

    const Field* take(Names names);
    /// Nothing is taken.
    const Field* find(Names names) const noexcept;
    /// Text as the source has it, also of a number or boolean; empty where there is none, or where it is kept elsewhere.
    std::string raw(Names names);
    /// The same as it is written into a definition: a reference where it is kept elsewhere.
    std::string text(Names names);
    /// As it is written into a definition; absent where there is none.
    /// @param what  what it is called: "password"
    std::optional<std::string> secret(Names names, std::string_view what);
    // A value of another type is told of.
    std::optional<bool> flag(Names names);
    std::optional<std::int64_t> number(Names names, std::int64_t least, std::int64_t most);
    std::optional<std::uint16_t> port(Names names);
    /// Seconds as milliseconds: 1.5, "30", and with a unit as Go writes it ("1m30s", "500ms").
    std::optional<std::int64_t> seconds(Names names);
    /// Says nothing about a connection, or says again what was taken.
    void drop(Names names);

    /// Those that were not taken, in their order.
    std::vector<Field*> rest();
    /// Tells of a value that is not carried over, and counts it as taken.
    void tell(Field& field, Severity severity = Severity::warning, std::string hint = {});
    /// Tells of all that were not taken.
    void tell_rest();

    Run& run() noexcept { return run_; }
    const std::string& connection() const noexcept { return connection_; }
    const std::string& what() const noexcept { return what_; }

private:
    void bad(const Field& field, std::string_view expected);

    Run& run_;
    std::string connection_;
    std::string what_;
    std::vector<Field> fields_;
};

/// A scalar as text; absent for a map or list.
std::optional<std::string> text_of(const Value& value);

}  // namespace qconn::importing
