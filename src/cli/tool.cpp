// SPDX-License-Identifier: Apache-2.0
#include "cli/tool.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include <qconn/base/error.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn::cli {
namespace {
constexpr char k_mark = '\x1f';
}

std::string escape_argument(std::string argument) {
    if (!argument.empty() && (argument.front() == '[' || argument.front() == k_mark)) argument.insert(argument.begin(), k_mark);
    return argument;
}

std::vector<std::string> positional(const Tool& tool, const std::vector<std::string>& given) {
    std::vector<std::string> all;
    for (const std::string& argument : given) all.push_back(!argument.empty() && argument.front() == k_mark ? argument.substr(1) : argument);
    all.insert(all.end(), tool.literals.begin(), tool.literals.end());
    return all;
}

std::string single_name(const Tool& tool, const std::vector<std::string>& given, std::string_view what) {
    const auto names = positional(tool, given);
    if (names.empty()) throw UsageError("the name of a " + std::string{what} + " is missing");
    if (names.size() > 1) throw UsageError("one name is expected; '" + names[1] + "' is one too many");
    return names.front();
}

Loaded load(Tool& tool, bool note_errors) {
    Loaded loaded;
    loaded.registry = std::make_unique<Registry>();
    try {
        loaded.report = loaded.registry->load(tool.directories);
    } catch (const Error& error) {
        if (error.name() == "LOAD-ERROR") throw NotFound(error.what());
        throw;
    }
    if (loaded.registry->size() == 0) {
        std::string where;
        for (const std::string& directory : tool.directories) (where += where.empty() ? "" : ", ") += directory;
        throw NotFound("no connection definitions (*.qconn.yaml) in " + where + "; --dir names other directories or files");
    }
    if (note_errors && has_errors(loaded.report.diagnostics)) {
        const auto errors = static_cast<std::size_t>(std::count_if(loaded.report.diagnostics.begin(), loaded.report.diagnostics.end(),
                                                                   [](const Diagnostic& d) { return d.severity == Severity::error; }));
        tool.out.flush();
        std::fprintf(stderr, "qconn: note: %s in the definitions; 'qconn check' shows them\n", counted(errors, "error").c_str());
    }
    return loaded;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
    if (const std::string near = nearest(word, known); !near.empty()) return "; did you mean '" + near + "'?";
    if (known.empty() || known.size() > 12) return {};
    std::string text = "; there are: ";
    for (std::size_t i = 0; i < known.size(); ++i) (text += i == 0 ? "" : ", ") += known[i];
    return text;
}

void require_connection(const Registry& registry, const std::string& name) {
    if (registry.contains(name)) return;
    throw NotFound("there is no connection '" + printable(name) + "'" + printable(suggestion(name, registry.names())));
}

Value error_value(const Error& error) {
    return Map{{"name", error.name()},
               {"message", error.message()},
               {"connection", error.connection()},
               {"phase", to_string(error.phase())},
               {"reason", to_string(error.reason())},
               {"retryable", error.retryable()}};
}

Value error_value(const std::optional<Error>& error) { return error ? error_value(*error) : Value{}; }

}  // namespace qconn::cli
