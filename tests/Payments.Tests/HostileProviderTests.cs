using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Shop.Contracts;
using Shop.Testing;

namespace Shop.Payments.Tests;

/// <summary>A provider that says anything at all: what it says is stored, or is no answer, and no other payment waits for it.</summary>
public sealed class HostileProviderTests(PostgresFixture postgres)
{
    private static readonly string[] Nonsense =
    [
        "", "null", "[]", "7", "{", "{}", "{\"status\":0}", "{\"declineReason\":null}", "{\"message\":\"ok\"}", "{\"status\":7}", "{\"status\":\"stolen\"}", "{\"status\":\"captured\"}", "{\"status\":\"refused\"}", "{\"status\":null}", "\0\0\0", "{\"status\":\"authorized\"",
        "{\"status\":\"authorized\",\"declineReason\":\"\\ud800\"}", $"{{\"status\":\"{new string('x', 70_000)}\"}}", $"{new string('[', 5_000)}{new string(']', 5_000)}",
    ];

    [Long]
    [Fact]
    public async Task What_is_no_answer_is_asked_for_again()
    {
        var answers = new ConcurrentDictionary<string, string>();
        await using var shop = await TestShop.StartAsync(postgres);
        shop.StartPayments((request, send, cancellationToken) => request.Headers.TryGetValues("Idempotency-Key", out var key) && answers.TryRemove(key.Single(), out var answer)
            ? Task.FromResult(Answer(request, HttpStatusCode.OK, answer)) : send(cancellationToken));
        var requests = Nonsense.Select((_, i) => OrdersStandIn.Request("tok_visa", $"shopper-{i}")).ToList();
        foreach (var (request, answer) in requests.Zip(Nonsense))
            answers[request.PaymentId.ToString()] = answer;

        await shop.Orders.PublishAsync([.. requests]);

        foreach (var request in requests)
            await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        Assert.Empty(answers);
        Assert.All((await shop.Provider.LedgerAsync()).Values, entries => Assert.Equal("authorized", entries));
    }

    [Theory]
    // cut in the middle of a character that takes two
    [InlineData("199+emoji")]
    [InlineData("\\u0000 and \\u001b[31m")]
    [InlineData("Отказано 拒绝 🙅")]
    [InlineData("card 4111 1111 1111 1111 refused")]
    public async Task Why_it_refuses_is_told_as_far_as_it_can_be_stored(string reason)
    {
        var text = reason == "199+emoji" ? new string('x', 199) + "🙅" : reason;
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments((request, send, cancellationToken) => request.RequestUri!.AbsolutePath.EndsWith("/v1/payments", StringComparison.Ordinal)
            ? Task.FromResult(Answer(request, HttpStatusCode.PaymentRequired, $"{{\"detail\":\"{text}\"}}")) : send(cancellationToken));

        var request = await shop.Orders.RequestAsync("tok_visa");

        await Eventually.BecomesAsync("PaymentDeclined", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        var told = JsonSerializer.Deserialize(shop.Orders.Events(Topics.Payments).Single().Body, ContractsJson.Default.PaymentDeclined)!.Reason;
        Assert.Equal((await payments.FindAsync(request.PaymentId))!.DeclineReason, told);
        Assert.InRange(told.Length, 1, 200);
        Assert.DoesNotContain(told, char.IsControl);
        Assert.DoesNotContain("1111", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reason phrase")]
    [InlineData("charset")]
    [InlineData("content")]
    public async Task A_card_number_in_what_is_no_answer_is_nowhere(string where)
    {
        const string Card = "4111111111111111";
        await using var shop = await TestShop.StartAsync(postgres);
        var payments = shop.StartPayments((request, send, cancellationToken) =>
        {
            var path = request.RequestUri!.AbsolutePath;
            if (path.EndsWith("/v1/payments", StringComparison.Ordinal))
                return send(cancellationToken);
            var answer = Answer(request, HttpStatusCode.OK, where == "content" ? $"{{\"status\":\"{Card}\"}}" : "{}");
            if (where == "charset")
                answer.Content.Headers.ContentType!.CharSet = Card;
            if (where == "reason phrase")
                (answer.StatusCode, answer.ReasonPhrase) = (path.EndsWith("/capture", StringComparison.Ordinal) ? HttpStatusCode.Conflict : HttpStatusCode.NotFound, $"card {Card}");
            return Task.FromResult(answer);
        });
        var request = await shop.Orders.RequestAsync("tok_visa");
        await Eventually.BecomesAsync("PaymentAuthorized", () => shop.Orders.PaymentEventsOfAsync(request.OrderId));
        await shop.Orders.PublishAsync(new OrderConfirmed(request.OrderId));

        await Eventually.BecomesTrueAsync(async () => (await payments.FindAsync(request.PaymentId))!.LastError is not null);
        Assert.DoesNotContain("1111", (await payments.FindAsync(request.PaymentId))!.LastError!, StringComparison.Ordinal);
        using var olga = payments.CreateOperator();
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await olga.PostAsync("/api/ops/payments/reconciliation", content, TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.OK, answer.StatusCode.ToString());
        Assert.DoesNotContain("41111111", shop.Logs.Text, StringComparison.Ordinal);
    }

    private static HttpResponseMessage Answer(HttpRequestMessage request, HttpStatusCode status, string body) =>
        new(status) { RequestMessage = request, Content = new StringContent(body, Encoding.UTF8, "application/json") };
}
