// SPDX-License-Identifier: Apache-2.0
/// Connections of other systems as definitions: an importer takes the text of one of their files and tells of everything that it could not carry
/// over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/diagnostic.hpp>

namespace qconn {

class Catalogue;
namespace importing {
class Run;
}

/// One kind of file that can be imported.
struct Importer {
    /// What the tool calls it: "airflow".
    std::string_view name;
    /// A few words for lists.
    std::string_view title;
    /// Names of its files, with `*` for any text; compared without regard to case.
    std::vector<std::string_view> file_names;
    /// For the library's own use; import_connections calls it.
    void (*read)(std::string_view text, importing::Run& run){nullptr};
};

/// In the order of the documentation. Lives as long as the program.
QCONN_API const std::vector<Importer>& importers();
/// Null pointer where there is none of that name.
QCONN_API const Importer* find_importer(std::string_view name) noexcept;
/// The one that a file is most likely for by its name alone (directories before the last '/' do not count); null where none is.
QCONN_API const Importer* guess_importer(std::string_view file) noexcept;

struct ImportSource {
    /// Never null.
    const Importer* importer{nullptr};
    std::string text;
    /// For the findings: a path, or a name for text that came from elsewhere.
    std::string file;
};

struct ImportOptions {
    /// Secrets stay in the definitions as the source has them. Otherwise each becomes a reference `${env:NAME}`.
    bool keep_secrets{false};
    /// Against which the definitions are checked; null: the built-in one.
    const Catalogue* catalogue{nullptr};
    /// The names that `%ifdef` finds in legacy definitions (`qconn`).
    std::vector<std::string> defines{};
};

/// A secret that a definition refers to.
struct ImportedSecret {
    std::string connection;
    /// The environment variable that has to be set.
    std::string variable;
    /// What it is: "password", "the header Authorization".
    std::string what;
    /// Where the source says that it is kept; empty where the source itself has it.
    std::string kept;
    /// Empty where the source does not have it.
    Secret value;
};

struct Imported {
    /// In the order of the sources. Names are unique and such as definitions may have. Reading what to_yaml writes gives equal ones; a scheme that
    /// the catalogue does not know, or a finding of its check, is told of in `diagnostics` and leaves the definition here.
    std::vector<Definition> definitions;
    /// By source and place. An error: something in the source could not be read, or a connection not be written. A warning: a value was not carried
    /// over, or means something else now. A note: something was renamed, or is of no account for a connection. docs/importing.md lists the codes.
    /// Holds no value of the sources that could be secret.
    Diagnostics diagnostics;
    std::vector<ImportedSecret> secrets;
};

/// Translates the texts, which are one set: names and variables are unique over all of them. Never throws for what is in them. At most 16 MiB a text
/// and 10,000 connections; what is beyond is an error (code `limit`).
/// @note Thread-safe.
QCONN_API Imported import_connections(const std::vector<ImportSource>& sources, const ImportOptions& options = {});

}  // namespace qconn
