// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/multipart.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/local_file.hpp"
#include "http/target.hpp"
#include "net/http_auth.hpp"

namespace qconn {

namespace {

/// As the HTML standard has it (section 4.10.21.8).
std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        switch (c) {
            case '"': out += "%22"; break;
            case '\r': out += "%0D"; break;
            case '\n': out += "%0A"; break;
            default: out += c;
        }
    }
    return out += '"';
}

/// One after the other.
class PieceSource final : public ByteSource {
public:
    struct Piece {
        std::string text;
        std::optional<LocalFile> file;
        std::uint64_t size() const { return file ? file->size() : text.size(); }
    };
    PieceSource(std::vector<Piece> pieces, Progress progress) : pieces_{std::move(pieces)}, progress_{std::move(progress)} {
        for (const Piece& piece : pieces_) size_ += piece.size();
    }

    std::optional<std::uint64_t> size() const override { return size_; }
    std::size_t read(char* to, std::size_t most) override {
        while (at_ < pieces_.size()) {
            Piece& piece = pieces_[at_];
            const std::uint64_t left = piece.size() - offset_;
            const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, most));
            std::size_t got = wanted;
            if (piece.file && wanted > 0)
                got = piece.file->read(to, wanted);
            else
                std::copy_n(piece.text.data() + offset_, wanted, to);
            if (wanted > 0 && got == 0) fail_file("reading, which has become shorter,", piece.file->path(), EIO);
            offset_ += got;
            done_ += got;
            if (offset_ == piece.size()) {
                ++at_;
                offset_ = 0;
            }
            if (got == 0) continue;
            if (progress_) progress_(done_, size_);
            return got;
        }
        return 0;
    }
    bool seek(std::uint64_t position) override {
        if (position != 0) return false;
        at_ = 0;
        offset_ = 0;
        done_ = 0;
        for (Piece& piece : pieces_) {
            if (piece.file) piece.file->seek(0);
        }
        return true;
    }

private:
    std::vector<Piece> pieces_;
    Progress progress_;
    std::uint64_t size_{0};
    std::size_t at_{0};
    std::uint64_t offset_{0};
    std::uint64_t done_{0};
};

}  // namespace

Multipart::Multipart() : boundary_{"qconn-" + net::make_client_nonce()} {}

void Multipart::begin_part(std::string_view name, std::string_view file_name, std::string_view content_type) {
    if (!http::is_field_value(content_type)) throw make_error(Errc::invalid_argument, "the content type of a part holds a line break");
    std::string head = (pieces_.empty() ? "--" : "\r\n--") + boundary_ + "\r\nContent-Disposition: form-data; name=" + quoted_name(name);
    if (file_name.data() != nullptr) head.append("; filename=").append(quoted_name(file_name));
    if (!content_type.empty()) head.append("\r\nContent-Type: ").append(content_type);
    head.append("\r\n\r\n");
    pieces_.push_back({std::move(head), {}});
}

Multipart& Multipart::field(std::string_view name, std::string value, std::string_view content_type) {
    begin_part(name, {}, content_type);
    pieces_.push_back({std::move(value), {}});
    return *this;
}

Multipart& Multipart::file(std::string_view name, std::string_view file_name, std::string content, std::string_view content_type) {
    begin_part(name, file_name.data() != nullptr ? file_name : std::string_view{""}, content_type);
    pieces_.push_back({std::move(content), {}});
    return *this;
}

Multipart& Multipart::file_from(std::string_view name, const std::string& path, std::string_view content_type, std::string_view file_name) {
    static_cast<void>(LocalFile::to_read(path));
    if (file_name.empty()) file_name = std::string_view{path}.substr(path.find_last_of('/') + 1);
    begin_part(name, file_name, content_type);
    pieces_.push_back({{}, path});
    return *this;
}

std::string Multipart::content_type() const { return "multipart/form-data; boundary=" + boundary_; }

std::shared_ptr<ByteSource> Multipart::source(Progress progress) const {
    std::vector<PieceSource::Piece> pieces;
    for (const Piece& piece : pieces_) {
        if (piece.path.empty())
            pieces.push_back({piece.text, std::nullopt});
        else
            pieces.push_back({{}, LocalFile::to_read(piece.path)});
    }
    pieces.push_back({(pieces_.empty() ? "--" : "\r\n--") + boundary_ + "--\r\n", std::nullopt});
    return std::make_shared<PieceSource>(std::move(pieces), std::move(progress));
}

void Multipart::apply(HttpRequest& request, Progress progress) const {
    if (request.method == "GET") request.method = "POST";
    request.headers.set("Content-Type", content_type());
    request.body_from = source(std::move(progress));
}

}  // namespace qconn
