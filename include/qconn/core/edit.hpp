// SPDX-License-Identifier: Apache-2.0
/// Changes of definition files that touch only the lines they must, and the secrets that stand in them.
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
struct Scheme;

/// The text of a file in which the document of connection `name` reads as `definition`; `definition.file` and `place` do not count. What it says
/// already stays as it is written, byte for byte: comments, order, indentation, quotes, the typed spelling of options, line ends. A null among its
/// options is written as null, a key that is gone from it is taken out. Of several documents of that name the first is meant.
/// The result has been read again: that document is as asked for, all others are what they were, and no finding is new.
/// @param text  of the whole file, with one or several documents
/// @throws Error EDIT-ERROR where the text is no YAML, has no such document, or is written in a way that cannot be changed so; LIMIT-EXCEEDED
QCONN_API std::string edit_definition(std::string_view text, std::string_view name, const Definition& definition,
                                      const DefinitionLimits& limits = {});

/// The text with one more document at its end. @throws Error EDIT-ERROR, also where the name is in it already
QCONN_API std::string add_definition(std::string_view text, const Definition& definition, const DefinitionLimits& limits = {});

/// The text without the first document of that name, and without the comments directly above it where it is the first of the file.
/// Nothing but comments may be left. @throws Error EDIT-ERROR
QCONN_API std::string remove_definition(std::string_view text, std::string_view name, const DefinitionLimits& limits = {});

/// A secret that stands in a definition itself instead of being referred to.
struct LiteralSecret {
    /// {"url", "password"}, {"options", "password"}, {"options", "headers", "Authorization"}; names as the definition writes them.
    std::vector<std::string> where;
    /// What the client gets for it.
    Secret value;
    /// Of the value in the file, where `parsed` was given.
    Place place;
    /// Why a reference cannot stand in its place; empty: it can.
    std::string fixed;
};

/// Literal secrets of a definition as it was read, before any check: the password of the URL, sensitive options, members of maps and query
/// parameters that are named like credentials, passwords in options that are URLs, unknown options that are named like credentials.
/// @param scheme  null where it is unknown
/// @param parsed  where the places are to be found; may be null
QCONN_API std::vector<LiteralSecret> literal_secrets(const Definition& definition, const Scheme* scheme, const ParsedDefinitions* parsed = nullptr);

/// Puts text, for example a reference, in the place of such a secret. @throws Error EDIT-ERROR where it has none there, or it is fixed
QCONN_API void replace_secret(Definition& definition, const LiteralSecret& secret, std::string_view text, const Scheme* scheme);

/// Takes such a secret out, for a private file to give it (core/secret_overlay.hpp).
/// @returns its key there: "password", "url.password", "headers.Authorization"; empty where such a file has no place for it: then nothing is changed
/// @throws Error EDIT-ERROR where there is none, or it is fixed
QCONN_API std::string remove_secret(Definition& definition, const LiteralSecret& secret, const Scheme* scheme);

/// The lines of a definition file as they may be shown: only keys and harmless values are visible (docs/definitions.md, "What is shown"); a line that
/// is too long for that is `…`. As many lines as the text has.
QCONN_API std::vector<std::string> masked_lines(std::string_view text, const Catalogue& catalogue, const DefinitionLimits& limits = {});

}  // namespace qconn
