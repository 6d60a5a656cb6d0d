// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/byte_stream.hpp>

#include <algorithm>
#include <utility>

#include "base/local_file.hpp"

namespace qconn {

ByteSource::~ByteSource() = default;
ByteSink::~ByteSink() = default;

namespace {

class FunctionSource final : public ByteSource {
public:
    FunctionSource(std::function<std::size_t(char*, std::size_t)> read, std::optional<std::uint64_t> size) : read_{std::move(read)}, size_{size} {}
    std::optional<std::uint64_t> size() const override { return size_; }
    std::size_t read(char* to, std::size_t most) override {
        begun_ = true;
        return read_(to, most);
    }
    bool seek(std::uint64_t position) override { return position == 0 && !begun_; }

private:
    std::function<std::size_t(char*, std::size_t)> read_;
    std::optional<std::uint64_t> size_;
    bool begun_{false};
};

class FunctionSink final : public ByteSink {
public:
    explicit FunctionSink(std::function<void(std::string_view)> write) : write_{std::move(write)} {}
    void write(std::string_view bytes) override { write_(bytes); }

private:
    std::function<void(std::string_view)> write_;
};

class FileSource final : public ByteSource {
public:
    FileSource(const std::string& path, Progress progress) : file_{LocalFile::to_read(path)}, progress_{std::move(progress)} {}
    std::optional<std::uint64_t> size() const override { return file_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        const std::size_t got = file_.read(to, most);
        done_ += got;
        if (progress_) progress_(done_, file_.size());
        return got;
    }
    bool seek(std::uint64_t position) override {
        if (position > file_.size()) return false;
        file_.seek(position);
        done_ = position;
        return true;
    }

private:
    LocalFile file_;
    Progress progress_;
    std::uint64_t done_{0};
};

class TextSource final : public ByteSource {
public:
    explicit TextSource(std::string_view text) : text_{text} {}
    std::optional<std::uint64_t> size() const override { return text_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        const std::size_t count = std::min(most, text_.size() - at_);
        std::copy_n(text_.data() + at_, count, to);
        at_ += count;
        return count;
    }
    bool seek(std::uint64_t position) override {
        if (position > text_.size()) return false;
        at_ = static_cast<std::size_t>(position);
        return true;
    }

private:
    std::string_view text_;
    std::size_t at_{0};
};

}  // namespace

std::shared_ptr<ByteSource> file_source(const std::string& path, Progress progress) {
    return std::make_shared<FileSource>(path, std::move(progress));
}
std::shared_ptr<ByteSource> function_source(std::function<std::size_t(char*, std::size_t)> read, std::optional<std::uint64_t> size) {
    return std::make_shared<FunctionSource>(std::move(read), size);
}
std::shared_ptr<ByteSink> function_sink(std::function<void(std::string_view)> write) { return std::make_shared<FunctionSink>(std::move(write)); }
std::shared_ptr<ByteSource> text_source(std::string_view text) { return std::make_shared<TextSource>(text); }

}  // namespace qconn
