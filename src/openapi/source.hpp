// SPDX-License-Identifier: Apache-2.0
/// The documents that a description is made of, and what is wrong with them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/openapi/document.hpp>

namespace qconn::openapi {

/// One document.
struct Source {
    std::string location;
    /// Kept to find places; empty for a document that was given as a value.
    std::string text;
    Value root;
};

/// A place in a document, and what stands there.
struct Spot {
    const Source* source{nullptr};
    std::string pointer;
    const Value* value{nullptr};

    Spot operator[](std::string_view key) const;
    Spot operator[](std::size_t index) const;
    /// The name of the place for findings: "#/definitions/Order".
    std::string name(const Source* main) const;
    explicit operator bool() const noexcept { return value != nullptr && !value->is_null(); }
};

/// All that is read for one description.
class Sources {
public:
    explicit Sources(const ParseOptions& options) : options_{options} {}

    /// @throws Error SWAGGER-SCHEMA-ERROR, LIMIT-EXCEEDED
    const Source& add_main(std::string_view text);
    const Source& add_main(const Value& value);
    const Source& main() const noexcept { return *documents_.begin()->second; }

    /// What a `$ref` at `spot` leads to, through further ones.
    /// @throws Error SWAGGER-SCHEMA-ERROR
    Spot follow(const Spot& spot);
    /// Where `reference`, which stands at `spot`, leads; other documents are read. @throws Error SWAGGER-SCHEMA-ERROR
    Spot resolve(const Spot& spot, std::string_view reference);

    /// What nobody could work with. @throws Error SWAGGER-SCHEMA-ERROR
    [[noreturn]] void fail(const Spot& spot, std::string message) const;
    /// What lax overlooks.
    void fault(const Spot& spot, std::string message);
    /// Those that there were, with their places. Where lax does not overlook them: @throws Error SWAGGER-SCHEMA-ERROR
    std::vector<Fault> finish();

    const ParseOptions& options() const noexcept { return options_; }

private:
    const Source& add(std::string location, std::string_view text);
    void find_places(std::vector<Fault>& faults) const;

    const ParseOptions& options_;
    /// By location; "" sorts first, and the main one is kept under that.
    std::map<std::string, std::unique_ptr<Source>> documents_;
    std::vector<Fault> faults_;
};

}  // namespace qconn::openapi
