// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/download.hpp>

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <utility>

#include "base/local_file.hpp"
#include "base/text.hpp"
#include "http/http_error.hpp"

namespace qconn {

namespace {

/// What identifies a content so that pieces of it can be put together: an ETag that is no weak one, else the time of its last change (RFC 9110
/// section 13.1.5). Empty: nothing does.
std::string tag_of(const Headers& headers) {
    const std::string_view tag = headers.get("ETag");
    if (!tag.empty() && !tag.starts_with("W/")) return std::string{tag};
    return std::string{headers.get("Last-Modified")};
}

/// `bytes 100-199/1000`
struct ContentRange {
    std::uint64_t first{0};
    std::optional<std::uint64_t> all;
};
std::optional<ContentRange> parse_range(std::string_view field) {
    if (!text::to_lower(field.substr(0, 6)).starts_with("bytes ")) return std::nullopt;
    field.remove_prefix(6);
    ContentRange range;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), range.first);
    if (error != std::errc{} || end == field.data() + field.size() || *end != '-') return std::nullopt;
    const std::size_t slash = field.find('/');
    if (slash == npos) return std::nullopt;
    std::uint64_t all = 0;
    const auto [last, wrong] = std::from_chars(field.data() + slash + 1, field.data() + field.size(), all);
    if (wrong == std::errc{} && last == field.data() + field.size()) range.all = all;
    return range;
}

/// The part of a file that is there so far.
class PartFile final : public HttpBodySink {
public:
    PartFile(std::string file, const DownloadOptions& options)
        : file_{std::move(file)}, part_{LocalFile::to_write(file_ + ".part")}, progress_{options.progress} {
        if (options.resume && part_.size() > 0) {
            std::ifstream in{tag_path()};
            std::getline(in, tag_);
        }
        have_ = tag_.empty() ? 0 : part_.size();
    }

    std::uint64_t have() const noexcept { return have_; }
    /// Whether the rest can be asked for.
    bool can_go_on() const noexcept { return have_ > 0 && !tag_.empty(); }
    const std::string& tag() const noexcept { return tag_; }
    /// A request asks for what comes from here on.
    void ask() noexcept { asked_ = have_; }

    void begin(const HttpResponse& head) override {
        if (head.status == 206) {
            const auto range = parse_range(head.headers.get("Content-Range"));
            // Of a call that is tried again, the first try may have brought some of it.
            if (!range || range->first != asked_)
                throw http::make_http_error(HttpErrc::receive, "the server answered with another range of bytes than was asked for", Phase::body,
                                            Reason::bad_answer);
            all_ = range->all;
            have_ = asked_;
            part_.cut(have_);
            return;
        }
        have_ = 0;
        part_.cut(0);
        all_.reset();
        std::uint64_t size = 0;
        const std::string_view length = head.headers.get("Content-Length");
        const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), size);
        if (error == std::errc{} && end == length.data() + length.size() && head.headers.find("Content-Encoding") == nullptr) all_ = size;
        tag_ = tag_of(head.headers);
        if (tag_.empty()) {
            ::unlink(tag_path().c_str());
        } else {
            LocalFile out = LocalFile::to_write(tag_path());
            out.cut(0);
            out.write(tag_ + "\n");
        }
    }
    void write(std::string_view bytes) override {
        part_.write(bytes);
        have_ += bytes.size();
        if (progress_) progress_(have_, all_);
    }

    void start_anew() {
        have_ = 0;
        tag_.clear();
    }
    void finish() {
        part_.sync();
        part_.check_close();
        rename_file(part_.path(), file_);
        ::unlink(tag_path().c_str());
    }

private:
    std::string tag_path() const { return file_ + ".part.tag"; }

    std::string file_;
    LocalFile part_;
    Progress progress_;
    std::string tag_;
    std::uint64_t have_{0};
    std::uint64_t asked_{0};
    std::optional<std::uint64_t> all_;
};

/// The answer says that there is nothing behind what is there.
bool is_whole(const HttpResponse& answer, std::uint64_t have) { return answer.headers.get("Content-Range") == "bytes */" + std::to_string(have); }

}  // namespace

HttpResponse download(HttpClient& client, std::string_view path, const std::string& file, const DownloadOptions& options, Deadline deadline) {
    const auto part = std::make_shared<PartFile>(file, options);
    for (int continuations = 0;;) {
        const std::uint64_t before = part->have();
        HttpRequest request;
        request.path = path;
        request.body_to = part;
        request.headers.set("Accept-Encoding", "identity");  // a range of a coded form would be of no use
        part->ask();
        if (part->can_go_on()) {
            request.headers.set("Range", "bytes=" + std::to_string(before) + "-");
            request.headers.set("If-Range", part->tag());
        }
        try {
            HttpResponse answer = client.request(request, deadline);
            part->finish();
            return answer;
        } catch (const Error& error) {
            const auto* detail = error.detail<HttpErrorDetail>();
            if (detail != nullptr && detail->response.status == 416 && part->can_go_on()) {
                if (is_whole(detail->response, before)) {
                    part->finish();
                    return detail->response;
                }
                part->start_anew();
                continue;
            }
            const bool cut = error.reason() == Reason::closed || error.reason() == Reason::reset || error.reason() == Reason::timeout;
            const bool goes_on = cut && part->can_go_on() && part->have() > before && !deadline.has_passed();
            if (!goes_on || ++continuations > options.continuations) throw;
        }
    }
}

}  // namespace qconn
