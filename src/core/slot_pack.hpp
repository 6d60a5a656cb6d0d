// SPDX-License-Identifier: Apache-2.0
/// Definitions as compact bytes: what a registry keeps instead of objects. The bytes never leave the process, so their form has no version.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "core/overrides.hpp"

namespace qconn::core {

/// Everything of a definition but its name, file and place. Options of the scheme's table are written as numbers. Equal definitions give equal bytes
/// where their options stand in the same order.
/// @param scheme  may be null
std::string pack_content(const Definition& definition, const Scheme* scheme);
/// Back again; name, file and place are left empty.
Definition unpack_content(std::string_view content, const Scheme* scheme);
/// URL and options alone.
struct Essentials {
    std::string url;
    Map options;
};
Essentials unpack_essentials(std::string_view content, const Scheme* scheme);
/// Whether clients and pings made from the two would be the same: equal URLs and options as written, order and those of monitoring aside. Secret
/// references count by their text.
bool same_essentials(std::string_view a, std::string_view b, const Scheme* scheme);

/// What a version carries besides its definition.
struct Extra {
    /// File name without its directory.
    std::string file;
    Place place;
    /// Why it is stale or invalid.
    std::string problem;
    Overrides set;
    /// Not zero: the definition was changed by code; of the one from the file that was in use before.
    std::uint64_t file_hash{0};
    /// Not zero: that was done while the file had a problem; of its text.
    std::uint64_t problem_hash{0};
};
/// @param usual_file  the name that a connection's file mostly has; it takes no room
std::string pack_extra(const Extra& extra, std::string_view usual_file);
/// @param usual_file  may be empty where the file name is not wanted
Extra unpack_extra(std::string_view bytes, std::string_view usual_file = {});

/// A value as bytes: equal ones give equal bytes, maps where their order is the same. Appends.
void pack_value(std::string& out, const Value& value);
std::uint64_t hash_bytes(std::string_view bytes) noexcept;

}  // namespace qconn::core
