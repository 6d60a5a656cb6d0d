// SPDX-License-Identifier: Apache-2.0
/// Bodies of several parts: forms with files (RFC 7578).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/http/body.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn {

/// multipart/form-data, put together part by part. Names and file names are written as browsers do it: UTF-8, with `"`, CR and LF percent-encoded.
/// @note One thread at a time; the source that it makes is its own.
class QCONN_API Multipart {
public:
    /// With a random boundary.
    Multipart();

    /// @param content_type  empty: none, which means text
    /// @throws Error INVALID-ARGUMENT for a content type that is no header value; so do the others
    Multipart& field(std::string_view name, std::string value, std::string_view content_type = {});
    /// A file whose content is at hand.
    Multipart& file(std::string_view name, std::string_view file_name, std::string content,
                    std::string_view content_type = "application/octet-stream");
    /// A file on disk, which is read while it is sent.
    /// @param file_name  empty: the last part of the path
    /// @throws Error SYSTEM-ERROR
    Multipart& file_from(std::string_view name, const std::string& path, std::string_view content_type = "application/octet-stream",
                         std::string_view file_name = {});

    /// `multipart/form-data; boundary=…`
    std::string content_type() const;
    /// All parts one after the other; can be rewound.
    std::shared_ptr<ByteSource> source(Progress progress = {}) const;
    /// Body and Content-Type of a request, by POST unless it has another method than GET.
    void apply(HttpRequest& request, Progress progress = {}) const;

private:
    void begin_part(std::string_view name, std::string_view file_name, std::string_view content_type);

    struct Piece {
        std::string text;
        /// Of a file; empty: `text` is what is sent.
        std::string path;
    };
    std::string boundary_;
    std::vector<Piece> pieces_;
};

}  // namespace qconn
