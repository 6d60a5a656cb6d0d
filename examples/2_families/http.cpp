// SPDX-License-Identifier: Apache-2.0
// An HttpClient used alone, without a registry: a call, a deadline, an error with its answer, calls beside each other.
//
//     http URL
#include <future>
#include <iostream>
#include <qconn/http/http_client.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: http URL\n";
        return 2;
    }
    try {
        qconn::HttpOptions options;
        options.label = "example";
        options.url = argv[1];
        options.timeout = 5s;  // longest silence
        qconn::HttpClient client{options};

        // Blocking, at most 10 seconds in all.
        const qconn::HttpResponse hello = client.get("hello.txt", 10s);
        std::cout << hello.status << ' ' << hello.headers.get("content-type") << ": " << hello.body;
        std::cout << "from " << hello.info.remote_address << " by " << hello.info.version << '\n';

        // Statuses from 400 on are errors and carry the answer.
        try {
            client.get("status/404", 10s);
        } catch (const qconn::Error& error) {
            std::cout << error.name();
            if (const auto* detail = error.detail<qconn::HttpErrorDetail>()) std::cout << ", the server said " << detail->response.body;
            std::cout << '\n';
        }

        // Two calls beside each other; the callbacks come on a thread of the runtime's and must not block.
        const auto ask = [&client](const std::string& path) {
            std::promise<int> status;
            auto answer = status.get_future();
            client.async_request({.path = path}, 10s, [status = std::move(status)](qconn::Result<qconn::HttpResponse> result) mutable {
                status.set_value(result ? result->status : 0);
            });
            return answer;
        };
        auto first = ask("hello.txt");
        auto second = ask("numbers.txt");
        std::cout << "both at once: " << first.get() << ' ' << second.get() << '\n';
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
