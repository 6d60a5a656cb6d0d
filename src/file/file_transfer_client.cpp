// SPDX-License-Identifier: Apache-2.0
#include <qconn/file/file_transfer_client.hpp>

namespace qconn {

FileTransferClient::~FileTransferClient() = default;

std::string_view to_string(FileType type) noexcept {
    switch (type) {
        case FileType::file: return "file";
        case FileType::directory: return "directory";
        case FileType::symlink: return "symlink";
        case FileType::other: break;
    }
    return "other";
}

namespace {

[[noreturn]] void unsupported(const Client& client, std::string_view what) {
    throw make_error(Errc::invalid_argument, std::string{what} + ": the protocol of this connection has no way to do that")
        .with_reason(Reason::unsupported)
        .with_connection(client.label());
}

}  // namespace

FileInfo FileTransferClient::stat_link(std::string_view, Deadline) { unsupported(*this, "looking at a symbolic link itself"); }
void FileTransferClient::set_attributes(std::string_view, const FileAttributes&, Deadline) {
    unsupported(*this, "changing the attributes of a file");
}
void FileTransferClient::make_symlink(std::string_view, std::string_view, Deadline) { unsupported(*this, "making a symbolic link"); }
void FileTransferClient::make_hard_link(std::string_view, std::string_view, Deadline) { unsupported(*this, "making a hard link"); }

}  // namespace qconn
