// SPDX-License-Identifier: Apache-2.0
/// JSON pointers (RFC 6901), and references with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>

namespace qconn::openapi {

/// `pointer` with one more step.
std::string below(std::string_view pointer, std::string_view key);
std::string below(std::string_view pointer, std::size_t index);
/// The steps of a pointer; nothing where it is none.
std::optional<std::vector<std::string>> steps_of(std::string_view pointer);
/// Null pointer where nothing is there.
const Value* find_at(const Value& root, std::string_view pointer);

/// What a reference names, read from a document at `base`: the location without fragment, and the fragment percent-decoded.
struct Reference {
    std::string location;
    std::string pointer;
};
Reference resolve_reference(std::string_view base, std::string_view reference);

}  // namespace qconn::openapi
