// SPDX-License-Identifier: Apache-2.0
/// Definitions for tests, from YAML to what a scheme gets.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "core/make.hpp"
#include "support/catch.hpp"
#include "support/document.hpp"

namespace qconn::test {

/// A definition checked against the built-in catalogue.
struct Checked {
    Definition definition;
    Diagnostics diagnostics;
    bool valid{false};

    const Scheme& scheme() const {
        const Scheme* found = builtin_catalogue().find(definition.scheme());
        REQUIRE(found != nullptr);
        return *found;
    }
    ResolvedDefinition resolved() const { return builtin_catalogue().resolve(definition); }
    /// The code of the first finding; empty where there is none.
    std::string code() const { return diagnostics.empty() ? std::string{} : diagnostics.front().code; }
    /// All findings as text.
    std::string text() const {
        std::string all;
        for (const auto& one : diagnostics) all += render(one);
        return all;
    }
    PingPlan ping(PingDepth depth = PingDepth::standard) const { return core::make_ping(scheme(), resolved(), depth, Runtime{}); }
    template <class T>
    std::shared_ptr<T> client() const {
        auto client = std::dynamic_pointer_cast<T>(core::make_client(scheme(), resolved(), Runtime{}));
        REQUIRE(client != nullptr);
        return client;
    }
};

/// @param options  the lines of the options, without their indentation, or nothing
inline Checked define(std::string_view url, std::string_view options = {}) {
    const std::string yaml = document("test", url, options);
    ParsedDefinitions parsed = parse_definitions(yaml, "test.qconn.yaml");
    INFO(yaml);
    REQUIRE(parsed.definitions.size() == 1);
    Checked checked;
    checked.definition = std::move(parsed.definitions.front());
    checked.diagnostics = std::move(parsed.diagnostics);
    checked.valid = builtin_catalogue().check(checked.definition, checked.diagnostics, &parsed);
    return checked;
}

}  // namespace qconn::test
