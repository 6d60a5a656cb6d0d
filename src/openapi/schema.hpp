// SPDX-License-Identifier: Apache-2.0
/// Schemas, made ready for use once: references followed, patterns compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "openapi/formats.hpp"
#include "openapi/number.hpp"
#include "openapi/pattern.hpp"
#include "openapi/source.hpp"

namespace qconn::openapi {

enum class Dialect : std::uint8_t {
    swagger2,
    openapi3,
    draft4,  ///< plain JSON Schema, of which the other two take a part: what the public test suite is for
};

/// Kinds of JSON as bits; none: any.
enum Types : std::uint8_t {
    k_null = 1,
    k_boolean = 2,
    k_integer = 4,
    k_number = 8,
    k_string = 16,
    k_array = 32,
    k_object = 64,
};
std::string_view type_name(Types type) noexcept;
/// "integer", "string or null".
std::string type_names(std::uint8_t types);

struct Schema;

/// Which schema counts is said by a member of the value.
struct Discriminator {
    std::string property;
    std::map<std::string, const Schema*> schemas;
};

struct Schema {
    /// For findings: "#/definitions/Order".
    std::string name;
    /// It is a reference and nothing else.
    const Schema* target{nullptr};

    std::uint8_t types{0};
    bool nullable{false};
    bool file{false};  ///< 2.0 `type: file`: anything
    bool read_only{false};
    bool write_only{false};
    const Format* format{nullptr};
    std::optional<std::unordered_set<std::string>> allowed;  ///< canonical(); of enum and const
    std::string allowed_words;
    std::optional<Decimal> minimum, maximum, multiple_of;
    bool above_minimum{false}, below_maximum{false};  ///< the limits themselves are not allowed
    std::optional<std::size_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
    std::optional<Pattern> pattern;
    std::string pattern_text;
    bool unique_items{false};

    std::vector<std::string> required;
    std::map<std::string, const Schema*, std::less<>> properties;
    bool further_properties{true};  ///< such as are not in `properties`
    const Schema* additional{nullptr};
    const Schema* items{nullptr};
    std::vector<const Schema*> all_of, one_of, any_of;
    const Schema* none_of{nullptr};
    std::optional<Discriminator> discriminator;
};

/// The schema that a chain of references ends at.
const Schema& resolved(const Schema& schema) noexcept;
/// The kinds that a schema lets pass by what it, and what it is made of, says of `type`; 0: any.
std::uint8_t types_of(const Schema& schema);
/// The schema of a member, in it or in what it is made of; null pointer where nothing is said.
const Schema* member_of(const Schema& schema, std::string_view name);

/// Makes schemas; each place of a document once, so that those which refer to each other in circles are.
class Schemas {
public:
    Schemas(Sources& sources, Dialect dialect) : sources_{sources}, dialect_{dialect} {}

    /// Not yet filled in. @throws Error LIMIT-EXCEEDED
    const Schema* at(const Spot& spot);
    /// Fills in all that were asked for and what they use; they stay where they are.
    /// @throws Error SWAGGER-SCHEMA-ERROR, LIMIT-EXCEEDED
    std::deque<Schema> take();

private:
    void fill(Schema& schema, const Spot& spot);
    void check_circles() const;
    void fill_types(Schema& schema, const Spot& spot);
    void fill_limits(Schema& schema, const Spot& spot);
    void fill_object(Schema& schema, const Spot& spot);
    void fill_parts(Schema& schema, const Spot& spot);
    void fill_discriminator(Schema& schema, const Spot& spot);
    void add_heirs(Discriminator& discriminator, const Spot& base);
    std::vector<const Schema*> list(const Spot& spot);
    std::optional<std::size_t> count(const Spot& spot);
    bool flag(const Spot& spot);
    /// Whether the limit itself is excluded. @param inwards  1: of a lower limit, -1: of an upper one
    bool exclusive(const Spot& spot, std::optional<Decimal>& limit, int inwards);
    std::optional<Decimal> number(const Spot& spot);

    Sources& sources_;
    Dialect dialect_;
    std::deque<Schema> schemas_;
    std::deque<Spot> spots_;  ///< of the schemas, beside them
    std::map<std::pair<const Source*, std::string>, Schema*> known_;
};

}  // namespace qconn::openapi
