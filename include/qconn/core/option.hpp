// SPDX-License-Identifier: Apache-2.0
/// Options of schemes, declared once as data.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/base/value.hpp>

namespace qconn {

enum class OptionType : std::uint8_t { boolean, integer, number, string, map, list, data, any };
/// "bool", "int", "float", "string", "hash", "list", "data", "any": the names that definitions use.
QCONN_API std::string_view to_string(OptionType type) noexcept;

/// What a number counts.
enum class Unit : std::uint8_t { none, milliseconds, seconds, bytes, percent };
QCONN_API std::string_view to_string(Unit unit) noexcept;

struct AllowedValue {
    Value value;
    std::string help;
};

/// A credential that is kept outside of definitions: `salesforce.com/username` (core/property_source.hpp).
struct OptionProperty {
    std::string domain;
    std::string key;
};

/// One named setting of a scheme. Checking, defaults, help, documentation and JSON Schema are made from it. Plain data.
struct OptionSpec {
    std::string name;
    OptionType type{OptionType::string};
    Unit unit{Unit::none};
    /// Null: none; then `fallback_text` may say in words what happens.
    Value fallback{};
    std::string fallback_text{};
    std::string help;
    Value example{};
    /// Empty: any value of the type.
    std::vector<AllowedValue> allowed{};
    std::optional<double> minimum{};
    std::optional<double> maximum{};
    bool sensitive{false};
    /// `$NAME` and `${NAME}` in it are replaced from the environment when it is used.
    bool environment{false};
    /// It names a file.
    bool file{false};
    /// Of an option that names a file: the option that takes the same as content. Then it may be a URL too (core/file_resolver.hpp): `https:`,
    /// `resource:` or `file:`; what is read there when a client is made goes to that option, unless the definition gives it.
    std::string content{};
    /// Where a value comes from that the definition does not give. Strings and data only. What comes from there is a secret.
    std::optional<OptionProperty> property{};
    /// It says only how the connection is watched (core/monitoring.hpp): another value makes neither a new client nor another ping.
    bool monitoring{false};
    /// A map may also be written as text in the grammar `key=value, key=value`.
    bool pairs_text{false};
    /// Other spellings; taken with a warning that shows this one's name.
    std::vector<std::string> aliases{};
    /// A further check of a value that has the right type: empty, or what is wrong with it.
    std::function<std::string(const Value&)> check{};
};

/// At least one of the alternatives must be given whole: {{"apikey"}, {"client_id", "client_secret"}}. The names "url.user" and
/// "url.password" stand for the parts of the URL.
struct RequiredOptions {
    std::vector<std::vector<std::string>> alternatives;
};

/// Binds options to the members of a client's options struct, so that each is named in one place.
/// Members may be: bool, integers, double, std::string, Secret, chrono durations (in the option's unit), Map, List, Value, Headers-like types
/// with a converter, and std::optional of these.
template <class Options>
class OptionTable {
public:
    using Setter = std::function<void(Options&, const Value&)>;

    /// Adds an option that sets `member`. Returns its spec for the rest: `t.add("timeout", &O::timeout, OptionType::integer, "…").unit = …`.
    template <class M, class Owner>
    OptionSpec& add(std::string name, M Owner::*member, OptionType type, std::string help) {
        return add(std::move(name), type, std::move(help), [member](Options& o, const Value& v) { assign(o.*member, v); });
    }
    /// Adds an option with a setter of one's own, or with none where it concerns only the ping or the registry.
    OptionSpec& add(std::string name, OptionType type, std::string help, Setter setter) {
        setters_.push_back(std::move(setter));
        OptionSpec spec;
        spec.name = std::move(name);
        spec.type = type;
        spec.help = std::move(help);
        specs_.push_back(std::move(spec));
        return specs_.back();
    }
    const std::vector<OptionSpec>& specs() const noexcept { return specs_; }

    /// For a kind that has an option of another otherwise: its spec, to be changed. @throws Error INVALID-ARGUMENT where there is none
    OptionSpec& at(std::string_view name) { return specs_[index_of(name)]; }
    void remove(std::string_view name) {
        const auto at = static_cast<std::ptrdiff_t>(index_of(name));
        specs_.erase(specs_.begin() + at);
        setters_.erase(setters_.begin() + at);
    }

    /// Sets the members from checked values; absent and null ones are left as they are.
    void apply(const Map& values, Options& options) const {
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            if (!setters_[i]) continue;
            if (const Value* v = values.find(specs_[i].name); v && !v->is_null()) setters_[i](options, *v);
        }
    }

private:
    std::size_t index_of(std::string_view name) const {
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            if (specs_[i].name == name) return i;
        }
        throw make_error(Errc::invalid_argument, "there is no option " + std::string{name});
    }

    template <class M>
    static void assign(M& m, const Value& v) {
        if constexpr (std::is_same_v<M, bool>)
            m = v.as_bool();
        else if constexpr (std::is_integral_v<M>) {
            const std::int64_t wide = v.as_int64();
            if (!std::in_range<M>(wide)) throw make_error(Errc::value_range, "the number " + std::to_string(wide) + " does not fit");
            m = static_cast<M>(wide);
        } else if constexpr (std::is_floating_point_v<M>)
            m = static_cast<M>(v.as_double());
        else if constexpr (std::is_same_v<M, std::string>)
            m = std::string{v.is_binary() ? v.as_bytes() : v.as_string()};
        else if constexpr (std::is_same_v<M, Secret>)
            m = Secret{v.is_binary() ? v.as_bytes() : v.as_string()};
        else if constexpr (std::is_same_v<M, Map>)
            m = v.as_map();
        else if constexpr (std::is_same_v<M, List>)
            m = v.as_list();
        else if constexpr (std::is_same_v<M, Value>)
            m = v;
        else if constexpr (requires { typename M::period; })
            m = M{v.as_int64()};
        else if constexpr (requires {
                               m.emplace();
                               *m;
                           })
            assign(m.emplace(), v);
        else
            static_assert(std::is_same_v<M, bool>, "give the option a setter of its own");
    }

    std::vector<OptionSpec> specs_;
    std::vector<Setter> setters_;
};

}  // namespace qconn
