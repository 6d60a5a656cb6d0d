// SPDX-License-Identifier: Apache-2.0
/// One text through an importer, and what must hold for whatever comes out.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <qconn/core/scheme.hpp>
#include <qconn/import/import.hpp>

#include "support/catch.hpp"
#include "support/text.hpp"

namespace qconn::test {

inline Imported import_text(std::string_view format, std::string_view text, bool keep_secrets = false) {
    const Importer* importer = find_importer(format);
    REQUIRE(importer != nullptr);
    return import_connections({{importer, std::string{text}, "source"}}, {.keep_secrets = keep_secrets});
}

/// What is written reads back as the same, without an error but for schemes that this build does not have, and is written the same again.
inline void check_round_trip(const Imported& imported) {
    std::set<std::string> names;
    for (const Definition& definition : imported.definitions) {
        const std::string yaml = to_yaml(definition);
        INFO(yaml);
        CHECK(names.insert(definition.name).second);
        ParsedDefinitions back = parse_definitions(yaml, "back");
        CHECK_FALSE(has_errors(back.diagnostics));
        REQUIRE(back.definitions.size() == 1);
        CHECK(back.definitions.front() == definition);
        CHECK(to_yaml(back.definitions.front()) == yaml);
        Diagnostics found;
        builtin_catalogue().check(back.definitions.front(), found, &back);
        for (const Diagnostic& d : found) {
            CAPTURE(summary(d));
            CHECK((d.severity != Severity::error || d.code == "unknown-scheme"));
        }
    }
}

inline const Definition& definition(const Imported& imported, std::string_view name) {
    const auto found =
        std::find_if(imported.definitions.begin(), imported.definitions.end(), [&](const Definition& one) { return one.name == name; });
    INFO("definition " << name);
    REQUIRE(found != imported.definitions.end());
    return *found;
}

/// Null where it is not set.
inline Value option(const Definition& definition, std::string_view name) {
    const Value* value = definition.options.find(name);
    return value != nullptr ? *value : Value{};
}

/// All findings, a line each: `12:3 warning not-carried: message`.
inline std::string findings(const Imported& imported) {
    std::string text;
    for (const Diagnostic& d : imported.diagnostics) {
        text += std::to_string(d.place.line) + ":" + std::to_string(d.place.column) + " ";
        ((((text += to_string(d.severity)) += ' ') += d.code) += ": ") += d.message + "\n";
    }
    return text;
}

/// Everything that is said, as the tool shows it: must hold no secret.
inline std::string shown(const Imported& imported) {
    std::string text;
    for (const Diagnostic& d : imported.diagnostics) text += render(d);
    return text;
}

}  // namespace qconn::test
