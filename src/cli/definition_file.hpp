// SPDX-License-Identifier: Apache-2.0
/// Definition files on disk: read, and replaced as a whole or not at all.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace qconn::cli {

/// A file that is to be changed. Wipes its text when it goes.
class DefinitionFile {
public:
    /// Reads it; symbolic links are followed, so what they point to will be replaced and not they.
    /// @throws NotFound; Error SYSTEM-ERROR
    explicit DefinitionFile(const std::string& path);
    DefinitionFile(const DefinitionFile&) = delete;
    DefinitionFile& operator=(const DefinitionFile&) = delete;
    ~DefinitionFile();

    const std::string& text() const noexcept { return text_; }
    mode_t mode() const noexcept { return mode_; }
    /// Puts another text in its place: written and synced beside it, then renamed. Mode and, where permitted, owner stay.
    /// @throws Error FILE-CHANGED where it is not any more what was read, SYSTEM-ERROR; the old text then is still there
    void replace(std::string_view text);
    /// @throws as replace
    void remove();

private:
    void require_unchanged() const;

    std::string path_;
    std::string text_;
    mode_t mode_{0};
    uid_t owner_{0};
    gid_t group_{0};
};

/// A new file with this text, never in the place of another. @throws Error SYSTEM-ERROR
void create_file(const std::string& path, std::string_view text, mode_t mode);
/// The real path of what is there; the path itself where that cannot be told.
std::string real_path(const std::string& path);
/// The part before the last '/'; "." where there is none.
std::string directory_of(const std::string& path);

}  // namespace qconn::cli
