// SPDX-License-Identifier: Apache-2.0
#include "cli/in_file.hpp"

#include <algorithm>
#include <cstdio>

#include <qconn/base/error.hpp>
#include <qconn/core/edit.hpp>
#include <qconn/core/registry_error.hpp>

#include "cli/describe.hpp"
#include "cli/diff.hpp"
#include "cli/present.hpp"

namespace qconn::cli {
namespace {

/// The findings about one connection of a text: those of the reader and those of the check.
Diagnostics findings(const Tool& tool, const std::string& path, std::string_view text, const std::string& name) {
    const ParsedDefinitions parsed = parse_definitions(text, path);
    Diagnostics all = parsed.diagnostics;
    for (const Definition& one : parsed.definitions) {
        if (one.name != name) continue;
        Definition definition = one;
        Catalogue catalogue = tool.catalogue;
        if (const auto overlay = read_overlay(tool)) {
            Diagnostics ignored;  // not about this text
            catalogue.add(overlay->provider());
            overlay->complete(definition, catalogue.find(definition.scheme()), ignored);
        }
        catalogue.check(definition, all, &parsed);
        break;
    }
    std::erase_if(all, [&](const Diagnostic& d) { return d.severity != Severity::error || (!d.connection.empty() && d.connection != name); });
    return all;
}

}  // namespace

bool is_legacy(const std::string& path) { return path.ends_with(RegistryOptions{}.legacy_suffix); }

InFile find_in_file(const Registry& registry, const std::string& name) {
    require_connection(registry, name);
    InFile found;
    found.path = registry.info(name).file;
    if (is_legacy(found.path))
        throw Error{Errc::invalid_argument, "EDIT-ERROR",
                    "\"" + found.path +
                        "\" is written in the legacy form, which is read and not changed; convert it first: qconn import legacy FILE --output DIR"}
            .with_reason(Reason::unsupported)
            .with_connection(name);
    found.file = std::make_unique<DefinitionFile>(found.path);
    const ParsedDefinitions parsed = parse_definitions(found.file->text(), found.path);
    const auto definition = std::find_if(parsed.definitions.begin(), parsed.definitions.end(), [&](const Definition& d) { return d.name == name; });
    if (definition == parsed.definitions.end())
        throw Error{Errc::invalid_argument, "FILE-CHANGED", "\"" + found.path + "\" has changed since it was read; nothing was written, try again"}
            .with_reason(Reason::bad_value);
    found.definition = *definition;
    return found;
}

void require_unlocked(const Registry& registry, const std::string& name, std::string_view what) {
    if (!registry.info(name).locked) return;
    throw Error{RegistryErrc::locked, "CONNECTION-LOCKED",
                "the connection \"" + name + "\" is locked and cannot be " + std::string{what} + "; unlock it first: qconn set NAME locked=false"}
        .with_connection(name);
}

Diagnostics new_errors(const Tool& tool, const std::string& path, std::string_view before, std::string_view after, const std::string& name) {
    Diagnostics found = findings(tool, path, after, name);
    const Diagnostics old = findings(tool, path, before, name);
    std::erase_if(found, [&](const Diagnostic& d) {
        return std::any_of(old.begin(), old.end(), [&](const Diagnostic& o) { return o.code == d.code && o.message == d.message; });
    });
    return found;
}

std::string masked_diff(const Tool& tool, const std::string& path, std::string_view before, std::string_view after) {
    return unified_diff(path, {lines_of(before), masked_lines(before, tool.catalogue)}, {lines_of(after), masked_lines(after, tool.catalogue)});
}

int refuse(Tool& tool, const Diagnostics& findings) {
    tool.out.flush();
    if (tool.format == Format::json || tool.format == Format::yaml) {
        List list;
        for (const Diagnostic& d : findings) list.push_back(diagnostic_value(d));
        const Value error = Map{{"name", "CONNECTION-DEFINITION-ERROR"}, {"message", "nothing was written"}, {"diagnostics", std::move(list)}};
        std::fputs(document_text(tool.format, Map{{"error", error}}, false).c_str(), stderr);
    } else {
        for (const Diagnostic& d : findings) std::fprintf(stderr, "%s\n", render(d).c_str());
        std::fprintf(stderr, "qconn: error: nothing was written: the definition would have %s that it has not now\n",
                     counted(findings.size(), "error").c_str());
    }
    return k_failed;
}

}  // namespace qconn::cli
