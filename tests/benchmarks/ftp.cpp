// SPDX-License-Identifier: Apache-2.0
// Files over FTP: bench_ftp get|put|small|fetch HOST PORT USER PASSWORD TLS SIZE-OR-COUNT [FILE]; one line with wall time and processor time.
//   get, put: one file of SIZE MiB, to and from memory that is reused; small: COUNT files of 1 KiB sent over one session; fetch: got over one session
// ftp.sh runs it beside curl and lftp.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <qconn/ftp/ftp_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

/// Zeros, as many as are asked for.
class Zeros final : public ByteSource {
public:
    explicit Zeros(std::uint64_t size) : size_{size} {}
    std::optional<std::uint64_t> size() const override { return size_; }
    std::size_t read(char* to, std::size_t most) override {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(most, size_ - at_));
        std::memset(to, 0, n);
        at_ += n;
        return n;
    }
    bool seek(std::uint64_t position) override {
        at_ = position;
        return true;
    }

private:
    const std::uint64_t size_;
    std::uint64_t at_{0};
};

class Counter final : public ByteSink {
public:
    void write(std::string_view bytes) override { seen += bytes.size(); }
    std::uint64_t seen{0};
};

}  // namespace

int main(int count, char** words) {
    if (count < 8) {
        std::fputs("bench_ftp get|put|small|fetch HOST PORT USER PASSWORD none|explicit SIZE-OR-COUNT\n", stderr);
        return 2;
    }
    const std::string what = words[1];
    FtpOptions options;
    options.host = words[2];
    options.port = static_cast<std::uint16_t>(std::atoi(words[3]));
    options.username = words[4];
    options.password = Secret{std::string{words[5]}};
    options.security = std::strcmp(words[6], "explicit") == 0 ? FtpTls::required : FtpTls::none;
    options.tls.verify = false;
    options.max_sessions = 1;
    const auto size = static_cast<std::uint64_t>(std::atoll(words[7]));
    const double begun = bench::seconds_of(CLOCK_MONOTONIC);
    const double used = bench::process_seconds();
    try {
        FtpClient client{options};
        if (what == "get") {
            Counter sink;
            client.get("large", sink);
            if (sink.seen != size << 20U) return 1;
        } else if (what == "put") {
            Zeros source{size << 20U};
            client.put("large", source, {.mode = WriteMode::in_place});
        } else {
            const std::string text(1024, 'x');
            for (std::uint64_t i = 0; i < size; ++i) {
                const std::string name = "small/f" + std::to_string(i);
                if (what == "small")
                    client.write(name, text);
                else if (client.read(name).size() != 1024)
                    return 1;
            }
        }
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    std::printf("%.4f %.4f\n", bench::seconds_of(CLOCK_MONOTONIC) - begun, bench::process_seconds() - used);
    return 0;
}
