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

}  // namespace qconn
