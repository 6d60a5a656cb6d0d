// SPDX-License-Identifier: Apache-2.0
/// What the two XML encodings share: a checked parse, and text that XML can hold.
#pragma once

#include <pugixml.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "base/xml.hpp"

namespace qconn::xml {

/// Parses into `document`. pugixml lets much pass that is not well-formed; what matters is checked before: UTF-8, entities, DOCTYPE, depth, one root,
/// nothing behind it.
/// @returns the error, or nothing
std::optional<Error> load(std::string_view text, const Limits& limits, pugi::xml_document& document);

/// Whether an element can have that name (XML 1.0, fifth edition; ASCII rules exact, all beyond ASCII is taken).
bool is_name(std::string_view name) noexcept;

/// Appends with the markup characters escaped. False where XML cannot hold the text: controls, or not UTF-8.
bool append_text(std::string& out, std::string_view text, bool in_attribute);

}  // namespace qconn::xml
