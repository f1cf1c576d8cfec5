using System.Net;

namespace Shop.PaymentProvider.Tests;

/// <summary>A provider that is told to stop while payments are asked for.</summary>
public sealed class DrainingTests
{
    [Fact]
    public async Task What_is_under_way_is_answered_although_it_takes_its_time_and_so_is_what_still_comes()
    {
        await using var provider = new Provider { DrainingDelay = TimeSpan.FromSeconds(20) };
        await provider.StartAsync();
        var (slow, late) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var underWay = provider.AuthorizeAsync(slow, "tok_slow");
        await Eventually.BecomesTrueAsync(async () => (await provider.LedgerOfAsync(slow)).Count == 1);

        var ended = provider.TerminateAsync();
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var ready = await provider.Client.GetAsync("/health/ready", TestContext.Current.CancellationToken);
            return ready.StatusCode == HttpStatusCode.ServiceUnavailable;
        });

        using (var answer = await underWay)
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        using (var answer = await provider.AuthorizeAsync(late, "tok_slow"))
            Assert.Equal((HttpStatusCode.Created, true), (answer.StatusCode, answer.Headers.ConnectionClose));
        Assert.Equal(0, await ended);
    }
}
