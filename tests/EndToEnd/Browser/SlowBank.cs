namespace Shop.EndToEnd.Browser;

/// <summary>A bank that takes longer than <c>tok_slow</c> until this is disposed of: what is to be seen meanwhile is there long enough for a busy machine.</summary>
internal sealed class SlowBank : IAsyncDisposable
{
    private readonly Shopper _operator;

    private SlowBank(Shopper @operator) => _operator = @operator;

    /// <summary>Makes it slow.</summary>
    public static async Task<SlowBank> OpenAsync(HttpClient gateway)
    {
        var olga = await Shopper.LogInAsync(gateway, "olga", "operator");
        await TakeAsync(olga, seconds: 20);
        return new(olga);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await TakeAsync(_operator, seconds: 0);

    private static async Task TakeAsync(Shopper olga, int seconds)
    {
        using var answer = await olga.SendAsync(HttpMethod.Put, "/api/ops/faults/payment-provider", $$"""{"answerDelaySeconds":{{seconds}}}""");
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }
}
