using Polly;
using Shop.Messaging.Workers;

namespace Shop.Payments.CallingProvider;

/// <summary>Adds the calls to the payment provider.</summary>
internal static class CallingProviderExtensions
{
    /// <summary>The provider's answers are small; a longer one is not the provider's.</summary>
    private const int MaxAnswerBytes = 64 * 1024;

    /// <summary>Adds the worker; the provider's address is the setting <c>services:payment-provider:http:0</c>.</summary>
    /// <exception cref="InvalidOperationException">The address is missing.</exception>
    public static void AddCallingProvider(this IHostApplicationBuilder builder)
    {
        var address = builder.Configuration["services:payment-provider:http:0"]
            ?? throw new InvalidOperationException("The payment provider's address is missing (services__payment-provider__http__0)");
        var services = builder.Services;
        services.AddHttpClient(PaymentProviderClient.Name, client =>
        {
            client.BaseAddress = new(address.EndsWith('/') ? address : address + '/');
            client.Timeout = Timeout.InfiniteTimeSpan;
            client.MaxResponseContentBufferSize = MaxAnswerBytes;
        }).AddResilienceHandler("provider", (calls, context) => calls
            .AddCircuitBreaker(context.ServiceProvider.GetRequiredService<ProviderCircuit>().Options)
            .AddTimeout(ProviderWorker.CallTimeout));
        services.AddSingleton<ProviderCircuit>();
        services.AddSingleton<PaymentProviderClient>();
        services.AddSingleton<WorkSignal>();
        services.AddSingleton<WakeOnCommit>();
        services.ConfigureDbContext<PaymentsDb>((provider, options) => options.AddInterceptors(provider.GetRequiredService<WakeOnCommit>()));
        services.AddSingleton<ProviderCalls>();
        services.AddWorker<ProviderWorker>("payment provider calls");
    }
}
