// SPDX-License-Identifier: Apache-2.0
#include "file/removal.hpp"

#include "file/carrier.hpp"
#include "file/temporary_name.hpp"
#include "file/tree_path.hpp"

namespace qconn::file {

/// @returns whether it is gone
bool Removal::entry(const std::string& path, FileType type, int depth) {
    if (type == FileType::directory) return directory(path, depth);
    one(path);
    return true;
}

bool Removal::directory(const std::string& path, int depth) {
    check_depth(path, depth);
    bool empty = true;
    for (const FileInfo& found : client_.list(path, {}, deadline_)) {
        if (is_safe_name(found.name) && !entry(joined(path, found.name), found.type, depth + 1)) empty = false;
    }
    if (!empty) return false;
    std::optional<Error> refused;
    try {
        one(path);
    } catch (const Error& error) {
        if (is_of_whole_call(error)) throw;
        refused = error;
    }
    if (!refused) return true;
    const std::uint64_t before = removed_;
    if (!leftovers(path)) return false;
    if (removed_ == before) throw Error{*refused};  // it was not that
    one(path);
    return true;
}

/// @returns whether none is left
bool Removal::leftovers(const std::string& path) {
    bool all = true;
    for (const FileInfo& found : client_.list(path, k_all_temporary, deadline_)) {
        if (!is_temporary(found.name)) continue;
        if (spares_from_ && (!found.modified || *found.modified >= *spares_from_))
            all = false;
        else
            one(joined(path, found.name));
    }
    return all;
}

void Removal::one(const std::string& path) {
    client_.remove(path, deadline_);
    ++removed_;
}

}  // namespace qconn::file
