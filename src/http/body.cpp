// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/body.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "http/file_io.hpp"

namespace qconn {

HttpBodySource::~HttpBodySource() = default;
HttpBodySink::~HttpBodySink() = default;
void HttpBodySink::begin(const HttpResponse&) {}

namespace {

class FunctionSource final : public HttpBodySource {
public:
    FunctionSource(std::function<std::size_t(char*, std::size_t)> read, std::optional<std::uint64_t> size) : read_{std::move(read)}, size_{size} {}
    std::optional<std::uint64_t> size() const override { return size_; }
    std::size_t read(char* to, std::size_t most) override {
        begun_ = true;
        return read_(to, most);
    }
    bool rewind() override { return !begun_; }

private:
    std::function<std::size_t(char*, std::size_t)> read_;
    std::optional<std::uint64_t> size_;
    bool begun_{false};
};

class FunctionSink final : public HttpBodySink {
public:
    explicit FunctionSink(std::function<void(std::string_view)> write) : write_{std::move(write)} {}
    void write(std::string_view bytes) override { write_(bytes); }

private:
    std::function<void(std::string_view)> write_;
};

class FileSource final : public HttpBodySource {
public:
    FileSource(const std::string& path, HttpProgress progress) : file_{http::File::to_read(path)}, progress_{std::move(progress)} {}
    std::optional<std::uint64_t> size() const override { return file_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        const std::size_t got = file_.read(to, most);
        done_ += got;
        if (progress_) progress_(done_, file_.size());
        return got;
    }
    bool rewind() override {
        file_.seek(0);
        done_ = 0;
        return true;
    }

private:
    http::File file_;
    HttpProgress progress_;
    std::uint64_t done_{0};
};

}  // namespace

std::shared_ptr<HttpBodySource> file_source(const std::string& path, HttpProgress progress) {
    return std::make_shared<FileSource>(path, std::move(progress));
}
std::shared_ptr<HttpBodySource> function_source(std::function<std::size_t(char*, std::size_t)> read, std::optional<std::uint64_t> size) {
    return std::make_shared<FunctionSource>(std::move(read), size);
}
std::shared_ptr<HttpBodySink> function_sink(std::function<void(std::string_view)> write) { return std::make_shared<FunctionSink>(std::move(write)); }

}  // namespace qconn
